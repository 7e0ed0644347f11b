"""Each stack alone: deployed to an empty account with its dependencies, it works and leaves nothing behind."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.api_client import ApiClient
from local.demo.gallery import visit_gallery
from local.demo.photo import delete_photos, reject_text_file, upload_photos
from local.demo.sweep import run_sweep
from local.inventory import LIST_CALLS, inventory, inventory_by_type
from local.sandbox import Sandbox
from operations.cdk import Assembly
from tests.e2e.album import make_album


def _has_a_network(sandbox: Sandbox) -> None:
    subnets = sandbox.client("ec2").describe_subnets(Filters=[{"Name": "tag:project", "Values": ["pair"]}])["Subnets"]
    assert len({subnet["AvailabilityZone"] for subnet in subnets}) == 2


def _has_images(sandbox: Sandbox) -> None:
    for repository in ("pair/gallery", "pair/album"):
        assert sandbox.client("ecr").describe_images(repositoryName=repository)["imageDetails"]


def _makes_thumbnails(sandbox: Sandbox) -> None:
    upload_photos(sandbox)
    reject_text_file(sandbox)
    delete_photos(sandbox)


def _sweeps(sandbox: Sandbox) -> None:
    upload_photos(sandbox)
    run_sweep(sandbox)


def _answers(sandbox: Sandbox) -> None:
    assert ApiClient(sandbox.outputs["Api"]["ApiUrl"]).request("GET", "health").status == 200


def _makes_albums(sandbox: Sandbox) -> None:
    upload_photos(sandbox)
    make_album(sandbox)


def _has_an_address(sandbox: Sandbox) -> None:
    assert sandbox.outputs["Lightsail"]["WebsiteUrl"].startswith("http://")


def _has_a_dashboard(sandbox: Sandbox) -> None:
    sandbox.client("cloudwatch").get_dashboard(DashboardName="pair-Guardrails")


# A check for each stack that it works.
_WORKS: dict[str, Callable[[Sandbox], Any]] = {
    "Network": _has_a_network,
    "Registry": _has_images,
    "Thumbnails": _makes_thumbnails,
    "Cron": _sweeps,
    "Api": _answers,
    "Batch": _makes_albums,
    "Ecs": visit_gallery,
    "Lightsail": _has_an_address,
    "Guardrails": _has_a_dashboard,
}


def _resource_types(assembly: Path, stacks: set[str]) -> set[str]:
    templates = (json.loads((assembly / f"{stack}.template.json").read_text()) for stack in stacks)
    return {resource["Type"] for template in templates for resource in template["Resources"].values()}


@pytest.mark.guarantee("Leaves nothing behind")
@pytest.mark.parametrize("stack", _WORKS)
def test_single_stack_deploys_works_and_leaves_nothing_behind(
    empty_sandbox: Sandbox, assembly: Path, stack: str
) -> None:
    before = inventory(empty_sandbox.client)
    empty_sandbox.deploy(stack)
    try:
        stacks = empty_sandbox.client("cloudformation").describe_stacks()["Stacks"]
        deployed = {it["StackName"].removeprefix("pair-") for it in stacks} - {"CDKToolkit"}
        assert deployed == Assembly(assembly).with_dependencies({stack})
        _WORKS[stack](empty_sandbox)
        # The inventory can only detect leftovers of types that it lists.
        found = {kind for kind, names in inventory_by_type(empty_sandbox.client).items() if names - before}
        assert (_resource_types(assembly, deployed) & LIST_CALLS.keys()) - found == set()
    finally:
        empty_sandbox.destroy()
    assert inventory(empty_sandbox.client) - before == set()


def test_every_stack_is_deployed_alone(assembly: Path) -> None:
    assert set(_WORKS) == {file.name.split(".")[0] for file in assembly.glob("*.template.json")}
