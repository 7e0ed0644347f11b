"""Reasons for wildcards, as the assembly has them, told as rights are told."""

from pathlib import Path

from tests.permissions.grants import Grant, Role
from tests.permissions.wildcards import Wildcard, has_wildcard, wildcards


def test_reasons_name_resources_of_this_stack_of_others_and_of_none(assembly: Path) -> None:
    found = {(wildcard.construct, wildcard.told): wildcard.reason for wildcard in wildcards(assembly)}
    assert found["Cron/FunctionRole", "Thumbnails/Thumbnails/reports/*"] == "Each night has a report of its own"
    assert found["Thumbnails/FunctionRole", "Thumbnails/Originals/*"].startswith("Any object in the bucket is a photo")
    assert found["Batch/ExecutionRole", "*"].startswith("ecr:GetAuthorizationToken")
    assert ("Ecs/Hosts/Role", "container-instance/Ecs/Cluster/*") in found


def _grant(role: str, told: str) -> Grant:
    return Grant(Role(role, "name"), "policy", "some:Action", told, told)


def test_a_reason_is_for_its_role_or_what_is_below_and_for_its_resource() -> None:
    wildcard = Wildcard("Ecs/Task", "*", "why")
    assert wildcard.has(_grant("Ecs/Task/ExecutionRole", "*"))
    assert wildcard.has(_grant("Ecs/Task", "*"))
    assert not wildcard.has(_grant("Ecs/TaskRole", "*"))
    assert not wildcard.has(_grant("Ecs/Task", "bucket/*"))


def test_streams_of_a_log_group_are_no_wildcard() -> None:
    assert not has_wildcard(_grant("Role", "log-group:Cron/FunctionLog:*"))
    assert has_wildcard(_grant("Role", "log-group:*:*"))
    assert has_wildcard(_grant("Role", "log-group:*"))
    assert not has_wildcard(_grant("Role", "bucket/key"))
