"""Two deployments with different names in one account, which share nothing."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.cdk import Cdk
from local.demo.gallery import visit_gallery
from local.inventory import inventory
from local.sandbox import Sandbox
from tests.e2e.album import make_album
from tests.e2e.photos import catalogue, final_item, put_original, thumbnails

# One name is a prefix of the other, which has the maximum length.
_OTHER = "pair-of-twenty-chars"


@pytest.fixture(scope="module")
def deployments(empty_sandbox: Sandbox) -> Iterator[tuple[Sandbox, Sandbox]]:
    """Two deployments, created at the same time."""
    before = inventory(empty_sandbox.client)
    cdk = Cdk(empty_sandbox.emulator, {"name": _OTHER, "allowed_cidr": "127.0.0.0/8"})
    cdk.synth()
    pair = (empty_sandbox, Sandbox(empty_sandbox.emulator, cdk))
    with ThreadPoolExecutor() as executor:
        list(executor.map(Sandbox.deploy, pair))
    yield pair
    for deployment in pair:
        deployment.destroy()
    cdk.log.unlink()
    assert inventory(empty_sandbox.client) - before == set()


def _upload(deployment: Sandbox, key: str) -> None:
    put_original(deployment, key)
    assert final_item(deployment, key)["state"] == "ready"


def test_deployments_share_no_output(deployments: tuple[Sandbox, Sandbox]) -> None:
    one, other = (
        {
            (stack, name): value
            for stack, outputs in deployment.outputs.items()
            for name, value in outputs.items()
            if not name.startswith("PublishOutput")  # for other stacks
        }
        for deployment in deployments
    )
    assert one.keys() == other.keys()
    same = {output for output, value in one.items() if other[output] == value}
    assert same == {("Thumbnails", "Settings")}


def test_photo_appears_in_one_deployment_only(deployments: tuple[Sandbox, Sandbox]) -> None:
    for deployment, key in zip(deployments, ("in one.jpg", "in the other.jpg"), strict=True):
        _upload(deployment, key)
    for deployment, key in zip(deployments, ("in one.jpg", "in the other.jpg"), strict=True):
        items = catalogue(deployment)
        assert list(items) == [key]
        assert set(thumbnails(deployment)) == set(items[key]["thumbnails"].values())


def test_destroying_one_deployment_leaves_the_other_working(deployments: tuple[Sandbox, Sandbox]) -> None:
    one, other = deployments
    one.destroy()
    stacks = other.client("cloudformation").describe_stacks()["Stacks"]
    assert {it["StackName"].removeprefix(f"{_OTHER}-") for it in stacks} == {"CDKToolkit", *other.outputs}
    _upload(other, "after.jpg")
    make_album(other)
    visit_gallery(other)
