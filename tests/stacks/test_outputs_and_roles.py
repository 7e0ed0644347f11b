"""The outputs of every stack, and the permissions of every role."""

from collections.abc import Callable
from pathlib import Path

import pytest

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

# The settings of stacks that the app does not always have.
_SETTINGS = {"Workers": {"thumbnails_on": "ec2"}, "Expiry": {"expires_at": "2026-11-28T20:00:00Z"}}

_MAKE_THUMBNAILS = {
    *("dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:UpdateItem"),
    *("s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"),
}

# The actions that the code of each role calls. Every function also writes its log.
_FUNCTION = {"logs:CreateLogStream", "logs:PutLogEvents"}
_ACTIONS = {
    ("Thumbnails", "FunctionRole"): _FUNCTION
    | _MAKE_THUMBNAILS
    | {"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"},
    ("Cron", "FunctionRole"): _FUNCTION
    | {"dynamodb:DeleteItem", "dynamodb:Scan", "lambda:InvokeFunction", "sqs:SendMessage"}
    | {"s3:AbortMultipartUpload", "s3:ListBucketMultipartUploads"}
    | {"s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"},
    ("Cron", "SchedulerRole"): {"lambda:InvokeFunction", "sqs:SendMessage"},
    ("Api", "FunctionRole"): _FUNCTION
    | {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}
    | {"batch:DescribeJobs", "batch:SubmitJob"}
    | {"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"}
    | {"s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"},
    ("Batch", "PageRole"): {"dynamodb:GetItem", "s3:GetObject", "s3:ListBucket", "s3:PutObject"},
    ("Batch", "BindRole"): {"s3:GetObject", "s3:ListBucket", "s3:PutObject"},
    ("Batch", "RemakeRole"): {"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:UpdateItem"}
    | {"s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"},
    ("Ecs", "HostsRole"): {
        "ecs:DeregisterContainerInstance",
        "ecs:DiscoverPollEndpoint",
        "ecs:Poll",
        "ecs:RegisterContainerInstance",
        "ecs:StartTelemetrySession",
        "ecs:SubmitAttachmentStateChanges",
        "ecs:SubmitContainerStateChange",
        "ecs:SubmitTaskStateChange",
        "ecs:UpdateContainerInstancesState",  # drains a terminating instance
    },
    ("Ecs", "FargateTaskTaskRole"): set(),  # the gallery calls no AWS service
    ("Ecs", "Ec2TaskTaskRole"): set(),
    ("Workers", "WorkerRole"): _MAKE_THUMBNAILS
    | {"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage"},
    ("Workers", "ScalingSchedulerRole"): {"sqs:UntagQueue"},
    ("Expiry", "FunctionRole"): _FUNCTION
    | {"cloudformation:DeleteStack", "cloudformation:DescribeStacks", "cloudformation:ListStacks", "sns:Publish"},
    ("Expiry", "SchedulerRole"): {"lambda:InvokeFunction"},
}

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


def _assembly(synthesize: Callable[..., Path], stack: str) -> Path:
    """Templates that include this stack."""
    return synthesize(**_SETTINGS.get(stack, {}))


@pytest.mark.parametrize("stack", _OUTPUTS)
def test_stack_has_the_outputs_of_the_contract(synthesize: Callable[..., Path], stack: str) -> None:
    template = read_template(_assembly(synthesize, stack), stack)
    outputs = {name for name in template["Outputs"] if not name.startswith("Publish")}
    assert outputs == _OUTPUTS[stack]


@pytest.mark.guarantee("Least privilege")
@pytest.mark.parametrize(("stack", "role"), _ACTIONS)
def test_role_allows_only_the_actions_that_its_code_calls(
    synthesize: Callable[..., Path], stack: str, role: str
) -> None:
    resources = read_resources(_assembly(synthesize, stack), stack)
    assert [name for name in of_type(resources, "AWS::IAM::Role") if name.startswith(role)]
    assert actions(statements(resources, role)) == _ACTIONS[stack, role]


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
