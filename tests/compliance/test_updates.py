"""Updates of a deployment: no resource that holds data is replaced, and no replacement needs a name still in use."""

import json
import os
from collections.abc import Callable, Collection
from dataclasses import fields
from itertools import permutations
from pathlib import Path
from typing import Any, get_args

import pytest

from stacks.support.settings import Settings, ThumbnailsOn
from tests.compliance.replacements import fixed_name, references, replaced_resources
from tests.project_copy import copy_project, replace, synthesize_copy
from tests.templates import STATEFUL_TYPES, Resource, read_templates

# Another value for each setting, except `name`, which creates another deployment, `target`, which is for laptops, and
# `thumbnails_on` and `expires_at`, which have tests of their own.
_SETTINGS = {
    "allowed_cidr": "198.51.100.0/24",
    "time_zone": "Asia/Tokyo",
    "alert_email": "me@example.com",
    "monthly_budget_usd": "35",
}

_Templates = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def before(assembly: Path) -> _Templates:
    return read_templates(assembly)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this project with changed code."""
    project = copy_project(tmp_path_factory.mktemp("project"))
    _change_code(project)
    return project


def _change_code(project: Path) -> None:
    """Change every function, every image, the page, and the sizes of what runs them."""
    programs = [*(project / "lambda_src").glob("*/handler.py"), *(project / "containers").glob("*/Dockerfile")]
    for file in (*programs, project / "containers" / "gallery" / "static" / "gallery.js"):
        change = "globalThis.changed = true;" if file.suffix == ".js" else "# Changed"
        file.write_text(f"{file.read_text()}\n{change}\n")
    constructs = project / "stacks" / "constructs"
    replace(constructs / "thumbnail_function.py", "memory_size=1769", "memory_size=2048")
    replace(constructs / "gallery_task.py", "cpu=256", "cpu=512")
    replace(constructs / "worker_task.py", "_CPU = 1024", "_CPU = 512")
    replace(project / "stacks" / "ecs.py", "InstanceSize.SMALL", "InstanceSize.LARGE")
    replace(constructs / "batch_instances.py", '("c6g", "c7g", "m6g", "m7g")', '("c7g", "m7g")')


@pytest.mark.slow
def test_templates_do_not_depend_on_the_folder_or_the_umask(
    before: _Templates, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    previous = os.umask(0o002)
    try:
        project = copy_project(tmp_path)
        assert read_templates(synthesize_copy(project, tmp_path_factory.mktemp("cdk.out"))) == before
    finally:
        os.umask(previous)


def test_updates_cover_every_setting() -> None:
    assert {*_SETTINGS, "name", "target", "thumbnails_on", "expires_at"} == {field.name for field in fields(Settings)}


@pytest.mark.slow
@pytest.mark.guarantee("Keeps data in updates")
@pytest.mark.parametrize("setting", _SETTINGS)
def test_changed_setting_replaces_only_budgets(
    before: _Templates, synthesize: Callable[..., Path], setting: str
) -> None:
    after = read_templates(synthesize(**{setting: _SETTINGS[setting]}))
    assert after.keys() == before.keys()
    # The subscriber of a budget cannot be changed in place. Nothing else needs a replacement.
    assert _replaced_types(before, after) <= {"AWS::Budgets::Budget"}


@pytest.mark.slow
@pytest.mark.guarantee("Keeps data in updates")
@pytest.mark.parametrize("compute", ["lambda", "fargate", "ec2"])
def test_changed_code_replaces_no_resource_with_data_and_no_fixed_name(
    synthesize: Callable[..., Path], project: Path, tmp_path: Path, compute: str
) -> None:
    before = read_templates(synthesize(thumbnails_on=compute))
    after = read_templates(synthesize_copy(project, tmp_path, thumbnails_on=compute))
    assert after.keys() == before.keys()
    _replaced_types(before, after)


@pytest.mark.guarantee("Keeps data in updates")
def test_expiry_that_is_added_or_changed_replaces_nothing(before: _Templates, synthesize: Callable[..., Path]) -> None:
    first, second = (read_templates(synthesize(expires_at=f"2026-11-{day}T20:00:00Z")) for day in (28, 29))
    assert _replaced_types(first, second) == set()
    del first["Expiry"]
    assert first.keys() == before.keys()
    assert _replaced_types(before, first) == set()


@pytest.mark.guarantee("Keeps data in updates")
@pytest.mark.parametrize(("old", "new"), [*permutations(get_args(ThumbnailsOn), 2)])
def test_another_compute_replaces_no_resource_with_data_and_no_fixed_name(
    synthesize: Callable[..., Path], old: str, new: str
) -> None:
    before, after = (read_templates(synthesize(thumbnails_on=compute)) for compute in (old, new))
    before.pop("Workers", None)  # which is deleted first
    _replaced_types(before, after, deleted_with_their_function={"AWS::Logs::LogGroup"})


def _replaced_types(
    before: _Templates, after: _Templates, *, deleted_with_their_function: Collection[str] = ()
) -> set[str]:
    """Check an update of all stacks, and return the types of the resources that it replaces."""
    assert after != before
    replaced_types = set()
    for stack in before:
        old, new = before[stack]["Resources"], after[stack]["Resources"]
        replaced = replaced_resources(before[stack], after[stack])
        replaced_types |= {old[name]["Type"] for name in replaced}
        deleted = replaced | (old.keys() - new.keys())
        created = replaced | (new.keys() - old.keys())
        with_data = STATEFUL_TYPES - {*deleted_with_their_function}
        assert [name for name in deleted if old[name]["Type"] in with_data] == [], stack
        # CloudFormation creates the replacement while the old resource exists.
        old_names = {_type_and_name(old[name]) for name in deleted} - {None}
        assert old_names & {_type_and_name(new[name]) for name in created} == set(), stack
        # The CDK CLI skips a stack with the same template, which would keep the old resource (Fn::GetStackOutput).
        for name, output in before[stack].get("Outputs", {}).items():
            if replaced & {*references(output["Value"])}:
                users = [user for user, template in after.items() if f'"{name}"' in json.dumps(template["Resources"])]
                assert [user for user in users if after[user] == before[user]] == [], (stack, name)
    return replaced_types


def _type_and_name(resource: Resource) -> tuple[str, str] | None:
    name = fixed_name(resource)
    return (resource["Type"], name) if name else None


_BUCKET = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "a"}}
_QUEUE: dict[str, Any] = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "Bucket"}, "DelaySeconds": 1}}


@pytest.mark.parametrize(
    ("change", "replaced"),
    [
        ({}, set()),
        ({"Bucket": {**_BUCKET, "Properties": {"BucketName": "b"}}}, {"Bucket", "Queue"}),
        ({"Bucket": {**_BUCKET, "Properties": {"BucketName": "a", "Tags": []}}}, set()),
        ({"Queue": {**_QUEUE, "Properties": {**_QUEUE["Properties"], "DelaySeconds": 2}}}, set()),
        ({"Queue": {"Type": "AWS::SNS::Topic"}}, {"Queue"}),
    ],
    ids=["nothing", "name of a resource that another refers to", "tags", "updatable property", "type"],
)
def test_replaced_resources_follows_schemas_and_references(change: dict[str, Any], replaced: set[str]) -> None:
    old = {"Bucket": _BUCKET, "Queue": _QUEUE}
    assert replaced_resources({"Resources": old}, {"Resources": old | change}) == replaced


def test_fixed_name_is_none_when_the_template_has_no_name() -> None:
    assert fixed_name(_BUCKET) == '"a"'
    assert fixed_name({"Type": "AWS::S3::Bucket"}) is None
    assert fixed_name({"Type": "AWS::Budgets::Budget", "Properties": {"Budget": {"BudgetName": "b"}}}) == '"b"'
