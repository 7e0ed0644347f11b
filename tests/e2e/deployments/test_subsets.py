"""Each stack works and leaves nothing behind when it is deployed alone, with its dependencies, to an empty account."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.api_client import ApiClient
from local.demo.gallery import visit_gallery, visit_website
from local.demo.photo import delete_photos, reject_text_file, upload_photos
from local.demo.sweep import run_sweep
from local.emulator import ACCOUNT
from local.inventory import LIST_CALLS, inventory, inventory_by_type
from local.sandbox import Sandbox
from operations.cdk import Assembly
from tests.e2e.album import make_album


def _check_subnets(sandbox: Sandbox) -> None:
    subnets = sandbox.client("ec2").describe_subnets(Filters=[{"Name": "tag:project", "Values": ["pair"]}])["Subnets"]
    assert len({subnet["AvailabilityZone"] for subnet in subnets}) == 2


def _check_images(sandbox: Sandbox) -> None:
    for repository in ("pair/gallery", "pair/album"):
        assert sandbox.client("ecr").describe_images(repositoryName=repository)["imageDetails"]


def _process_photos(sandbox: Sandbox) -> None:
    upload_photos(sandbox)
    reject_text_file(sandbox)
    delete_photos(sandbox)


def _restore_thumbnail(sandbox: Sandbox) -> None:
    upload_photos(sandbox)
    run_sweep(sandbox)


def _check_api_health(sandbox: Sandbox) -> None:
    assert ApiClient(sandbox.outputs["Api"]["ApiUrl"]).request("GET", "health").status == 200


def _make_album(sandbox: Sandbox) -> None:
    upload_photos(sandbox)
    make_album(sandbox)


def _check_dashboard(sandbox: Sandbox) -> None:
    sandbox.client("cloudwatch").get_dashboard(DashboardName="pair-Guardrails")


def _check_budget(sandbox: Sandbox) -> None:
    assert sandbox.client("budgets").describe_budgets(AccountId=ACCOUNT)["Budgets"]


# The smoke test of each stack.
_SMOKE_TESTS: dict[str, Callable[[Sandbox], Any]] = {
    "Network": _check_subnets,
    "Registry": _check_images,
    "Thumbnails": _process_photos,
    "Cron": _restore_thumbnail,
    "Api": _check_api_health,
    "Batch": _make_album,
    "Ecs": visit_gallery,
    "Lightsail": visit_website,
    "Guardrails": _check_dashboard,
    "Budget": _check_budget,
}


def _resource_types(assembly: Path, stacks: set[str]) -> set[str]:
    templates = (json.loads((assembly / f"{stack}.template.json").read_text()) for stack in stacks)
    return {resource["Type"] for template in templates for resource in template["Resources"].values()}


@pytest.mark.guarantee("Leaves nothing behind")
@pytest.mark.parametrize("stack", _SMOKE_TESTS)
def test_single_stack_deploys_works_and_leaves_nothing_behind(
    empty_sandbox: Sandbox, assembly: Path, stack: str
) -> None:
    before = inventory(empty_sandbox.client)
    empty_sandbox.deploy(stack)
    try:
        stacks = empty_sandbox.client("cloudformation").describe_stacks()["Stacks"]
        deployed = {it["StackName"].removeprefix("pair-") for it in stacks} - {"CDKToolkit"}
        assert deployed == Assembly(assembly).with_dependencies({stack})
        _SMOKE_TESTS[stack](empty_sandbox)
        # The inventory can only detect leftovers of types that it lists.
        found = {kind for kind, names in inventory_by_type(empty_sandbox.client).items() if names - before}
        assert (_resource_types(assembly, deployed) & LIST_CALLS.keys()) - found == set()
    finally:
        empty_sandbox.destroy()
    assert inventory(empty_sandbox.client) - before == set()


def test_every_stack_has_a_smoke_test(assembly: Path) -> None:
    assert set(_SMOKE_TESTS) == {file.name.split(".")[0] for file in assembly.glob("*.template.json")}
