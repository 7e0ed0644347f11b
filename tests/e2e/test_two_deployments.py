"""Two copies under two names in one account at once: neither sees or needs the other."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.cdk import Cdk
from local.demo.catalogue import catalogue_items, thumbnail_keys, wait_for_item
from local.demo.gallery import visit_gallery
from local.emulator import ROOT
from local.inventory import inventory
from local.sandbox import Sandbox
from tests.e2e.album import make_album

# One name begins as the other one does, and is as long as a name may be.
_OTHER = "pair-of-twenty-chars"

_PHOTO = ROOT / "samples" / "rocket.jpg"


@pytest.fixture(scope="module")
def copies(empty_sandbox: Sandbox) -> Iterator[tuple[Sandbox, Sandbox]]:
    """Two copies, deployed side by side."""
    before = inventory(empty_sandbox.client)
    cdk = Cdk(empty_sandbox.emulator, {"name": _OTHER, "allowed_cidr": "127.0.0.0/8"})
    cdk.synth()
    pair = (empty_sandbox, Sandbox(empty_sandbox.emulator, cdk))
    with ThreadPoolExecutor() as side_by_side:
        list(side_by_side.map(Sandbox.deploy, pair))
    yield pair
    for copy in pair:
        copy.destroy()
    cdk.log.unlink()
    assert inventory(empty_sandbox.client) - before == set()


def _put_photo(copy: Sandbox, key: str) -> dict[str, Any]:
    copy.client("s3").upload_file(str(_PHOTO), copy.outputs["Thumbnails"]["OriginalsBucket"], key)
    return wait_for_item(copy, key, "ready")


def test_deployments_share_no_output(copies: tuple[Sandbox, Sandbox]) -> None:
    one, other = (
        {
            (stack, name): value
            for stack, outputs in copy.outputs.items()
            for name, value in outputs.items()
            if not name.startswith("PublishOutput")  # what stacks tell each other
        }
        for copy in copies
    )
    assert one.keys() == other.keys()
    same = {what for what, value in one.items() if other[what] == value}
    assert same == {("Lightsail", "WebsiteUrl")}  # the emulator has one address for all servers


def test_photo_appears_in_one_deployment_only(copies: tuple[Sandbox, Sandbox]) -> None:
    one, other = copies
    _put_photo(one, "in one.jpg")
    _put_photo(other, "in the other.jpg")
    assert [item["key"] for item in catalogue_items(one)] == ["in one.jpg"]
    assert [item["key"] for item in catalogue_items(other)] == ["in the other.jpg"]
    for copy in copies:
        assert set(thumbnail_keys(copy)) == {
            key for item in catalogue_items(copy) for key in item["thumbnails"].values()
        }


def test_destroying_one_deployment_leaves_the_other_working(copies: tuple[Sandbox, Sandbox]) -> None:
    one, other = copies
    one.destroy()
    there = other.client("cloudformation").describe_stacks()["Stacks"]
    assert {it["StackName"].removeprefix(f"{_OTHER}-") for it in there} == {"CDKToolkit", *other.outputs}
    _put_photo(other, "after.jpg")
    make_album(other)
    visit_gallery(other)
