"""Acknowledged wildcards of the assembly, and the permissions that they explain."""

from pathlib import Path

import pytest

from tests.permissions.roles import Permission, Role
from tests.permissions.wildcards import Wildcard, acknowledged_wildcards, has_wildcard


def test_acknowledged_wildcards_name_resources_of_their_stack_and_of_others(assembly: Path) -> None:
    assert {(it.construct, it.resource_label) for it in acknowledged_wildcards(assembly)} >= {
        ("Cron/FunctionRole", "Thumbnails/Thumbnails/reports/*"),
        ("Thumbnails/FunctionRole", "Thumbnails/Originals/*"),
        ("Batch/ExecutionRole", "*"),
        ("Ecs/Hosts/Role", "container-instance/Ecs/Cluster/*"),
    }


def _permission(role: str, resource: str) -> Permission:
    return Permission(Role(role, "name"), "policy", "some:Action", resource, resource)


def test_wildcard_explains_its_resource_in_its_construct() -> None:
    wildcard = Wildcard("Ecs/Task", "*", "reason")
    assert wildcard.explains(_permission("Ecs/Task/ExecutionRole", "*"))
    assert wildcard.explains(_permission("Ecs/Task", "*"))
    assert not wildcard.explains(_permission("Ecs/TaskRole", "*"))
    assert not wildcard.explains(_permission("Ecs/Task", "bucket/*"))


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ("log-group:*:*", True),
        ("log-group:*", True),
        ("log-group:Cron/FunctionLog:*", False),
        ("bucket/key", False),
    ],
)
def test_log_streams_are_not_a_wildcard(resource: str, expected: bool) -> None:
    assert has_wildcard(_permission("Role", resource)) is expected
