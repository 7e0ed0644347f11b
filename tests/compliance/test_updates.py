"""Each change of a deployed copy: what holds data is kept, and what is made anew has no name that is still taken."""

import json
import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from stacks.support.settings import Settings
from tests.compliance.replacements import fixed_name, replaced
from tests.project_copy import copy_project, replace, synthesize_copy

_HOLDS_DATA = {
    "AWS::DynamoDB::Table",
    "AWS::ECR::Repository",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
}

# Another value of each setting. `name` makes another copy beside the first, and `target` is for the laptop.
_SETTINGS = {
    "allowed_cidr": "198.51.100.0/24",
    "time_zone": "Asia/Tokyo",
    "alert_email": "me@example.com",
    "monthly_budget_usd": "35",
}

_Templates = dict[str, dict[str, Any]]


def _templates(folder: Path) -> _Templates:
    return {file.name.split(".")[0]: json.loads(file.read_text()) for file in sorted(folder.glob("*.template.json"))}


@pytest.fixture(scope="module")
def before(assembly: Path) -> _Templates:
    return _templates(assembly)


@pytest.fixture(scope="module")
def changed(synthesize: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], _Templates]:
    """The templates after a change: of this setting, or of `code`."""

    def changed(what: str) -> _Templates:
        if what != "code":
            return _templates(synthesize(**{what: _SETTINGS[what]}))
        project, assembly = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("cdk.out")
        _change_code(copy_project(project))
        return _templates(synthesize_copy(project, assembly))

    return changed


def _change_code(project: Path) -> None:
    """Every function, both images, the page, and the size of what runs them."""
    programs = [*(project / "lambda_src").glob("*/handler.py"), *(project / "containers").glob("*/Dockerfile")]
    for file in (*programs, project / "containers" / "gallery" / "static" / "gallery.js"):
        change = "globalThis.changed = true;" if file.suffix == ".js" else "# Changed"
        file.write_text(f"{file.read_text()}\n{change}\n")
    replace(project / "stacks" / "constructs" / "thumbnail_function.py", "memory_size=1769", "memory_size=2048")
    replace(project / "stacks" / "constructs" / "gallery_task.py", "cpu=256", "cpu=512")
    replace(project / "stacks" / "constructs" / "ecs_instances.py", "InstanceSize.MICRO", "InstanceSize.SMALL")
    replace(project / "stacks" / "constructs" / "batch_instances.py", '("c6g", "c7g", "m6g", "m7g")', '("c7g", "m7g")')


def test_the_same_in_another_folder_is_no_change(
    before: _Templates, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    previous = os.umask(0o002)  # as on another machine
    try:
        project = copy_project(tmp_path)
        assert _templates(synthesize_copy(project, tmp_path_factory.mktemp("cdk.out"))) == before
    finally:
        os.umask(previous)


def test_each_setting_is_changed() -> None:
    assert {*_SETTINGS, "name", "target"} == {field.name for field in fields(Settings)}


@pytest.mark.guarantee("Keeps data in updates")
@pytest.mark.parametrize("what", [*_SETTINGS, "code"])
def test_what_holds_data_is_kept_and_no_name_is_taken_twice(
    before: _Templates, changed: Callable[[str], _Templates], what: str
) -> None:
    after = changed(what)
    assert after != before
    assert after.keys() == before.keys()
    made_anew = set()
    for stack, old in before.items():
        new = after[stack]
        gone = old["Resources"].keys() - new["Resources"].keys()
        anew = replaced(old, new)
        made_anew |= {old["Resources"][name]["Type"] for name in anew}
        lost = {name for name in anew | gone if old["Resources"][name]["Type"] in _HOLDS_DATA}
        assert lost == set(), f"{stack}: they would be deleted with what they hold"
        # The new one is made while the old one is still there.
        added = new["Resources"].keys() - old["Resources"].keys()
        leaving = {_name(old["Resources"][name]) for name in anew | gone} - {None}
        coming = {_name(new["Resources"][name]) for name in anew | added}
        assert leaving & coming == set(), f"{stack}: two cannot have one name"
    if what in _SETTINGS:
        # Whom a budget tells cannot be changed. Nothing else is worth a new one, least of all what lets somebody in.
        assert made_anew <= {"AWS::Budgets::Budget"}


def _name(resource: dict[str, Any]) -> tuple[str, str] | None:
    name = fixed_name(resource)
    return (resource["Type"], name) if name else None


_BUCKET = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "a"}}
_QUEUE: dict[str, Any] = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "Bucket"}, "DelaySeconds": 1}}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, set()),
        ({"Bucket": {**_BUCKET, "Properties": {"BucketName": "b"}}}, {"Bucket", "Queue"}),
        ({"Bucket": {**_BUCKET, "Properties": {"BucketName": "a", "Tags": []}}}, set()),
        ({"Queue": {**_QUEUE, "Properties": {**_QUEUE["Properties"], "DelaySeconds": 2}}}, set()),
        ({"Queue": {"Type": "AWS::SNS::Topic"}}, {"Queue"}),
    ],
    ids=["nothing", "a name, and who has it in its own", "tags", "what may change", "the type"],
)
def test_what_is_replaced_is_seen(change: dict[str, Any], found: set[str]) -> None:
    old = {"Bucket": _BUCKET, "Queue": _QUEUE}
    assert replaced({"Resources": old}, {"Resources": old | change}) == found


def test_a_name_is_seen_where_the_template_gives_one() -> None:
    assert fixed_name(_BUCKET) == '"a"'
    assert fixed_name({"Type": "AWS::S3::Bucket"}) is None
    assert fixed_name({"Type": "AWS::Budgets::Budget", "Properties": {"Budget": {"BudgetName": "b"}}}) == '"b"'
