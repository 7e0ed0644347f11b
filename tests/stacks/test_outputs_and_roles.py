"""The outputs of every stack, and the permissions of every role."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.permissions.report import REPORT, permissions_on
from tests.templates import actions, as_list, of_type, read_all_resources, read_resources, read_template, statements

_OUTPUTS = {
    "Thumbnails": {
        "OriginalsBucket",
        "ThumbnailsBucket",
        "CatalogueTable",
        "UploadQueueUrl",
        "DeadLetterQueueUrl",
        "Settings",  # for `make deploy`, not part of the contract
    },
    "Registry": {"GalleryRepository", "AlbumRepository", "ThumbnailerRepository"},
    "Api": {"ApiUrl", "ApiKeyId"},
    "Ecs": {"GalleryUrl"},
    "Batch": {"JobQueue", "AlbumJobDefinition", "BindJobQueue", "BindJobDefinition", "RemakeJobDefinition"},
    "Lightsail": {"WebsiteUrl"},
    "Cron": {"SweepFunction", "DeadLetterQueueUrl"},
    "Guardrails": {"AlertTopic"},
    "Workers": {"WorkerService"},
    "Expiry": {"ExpiresAt"},
}

# The settings of stacks and roles that the app does not always have.
_SETTINGS = {
    "Workers": {"thumbnails_on": "ec2"},
    "Workers/FargateTask/ExecutionRole": {"thumbnails_on": "fargate"},
    "Ecs/WorkerHosts/Role": {"thumbnails_on": "ec2"},
    "Expiry": {"expires_at": "2026-11-28T20:00:00Z"},
}

# The permissions without which `make permissions` saw a task fail: path of the role, action, and resource.
_NECESSARY = permissions_on(REPORT.read_text())
_WITHOUT_PERMISSIONS = {"Ecs/FargateTask/TaskRole", "Ecs/Ec2Task/TaskRole"}  # the gallery calls no AWS service

# Actions without resource types, so their resource must be *.
_WITHOUT_RESOURCE = {
    "batch:DescribeJobs",
    "cloudformation:DescribeStacks",  # of all stacks
    "cloudformation:ListStacks",
    "ecr:GetAuthorizationToken",
    "ecs:DiscoverPollEndpoint",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
}


def _assembly(synthesize: Callable[..., Path], path: str) -> Path:
    """Templates that include this stack or role."""
    return synthesize(**_SETTINGS.get(path, {}))


@pytest.mark.parametrize("stack", _OUTPUTS)
def test_stack_has_the_outputs_of_the_contract(synthesize: Callable[..., Path], stack: str) -> None:
    template = read_template(_assembly(synthesize, stack), stack)
    outputs = {name for name in template["Outputs"] if not name.startswith("Publish")}
    assert outputs == _OUTPUTS[stack]


@pytest.mark.guarantee("Least privilege")
@pytest.mark.parametrize("path", sorted(_WITHOUT_PERMISSIONS.union(path for path, _, _ in _NECESSARY)))
def test_role_allows_only_the_actions_that_its_code_calls(synthesize: Callable[..., Path], path: str) -> None:
    stack, _, construct = path.partition("/")
    role = construct.replace("/", "")
    resources = read_resources(_assembly(synthesize, path if path in _SETTINGS else stack), stack)
    assert [name for name in of_type(resources, "AWS::IAM::Role") if name.startswith(role)]
    necessary = {action for it, action, _ in _NECESSARY if it == path}
    assert actions(statements(resources, role)) == necessary, "Run: make permissions"


@pytest.mark.guarantee("Least privilege")
@pytest.mark.parametrize("stack", ["Thumbnails", "Workers", "Expiry"])
def test_no_policy_has_a_wildcard_action_or_an_unnecessary_wildcard_resource(
    synthesize: Callable[..., Path], stack: str
) -> None:
    resources = read_all_resources(_assembly(synthesize, stack))
    for statement in statements(resources):
        assert not [action for action in as_list(statement["Action"]) if "*" in action]
        if statement["Resource"] == "*":
            assert set(as_list(statement["Action"])) <= _WITHOUT_RESOURCE
    for name, role in of_type(resources, "AWS::IAM::Role").items():
        assert "ManagedPolicyArns" not in role["Properties"], name
