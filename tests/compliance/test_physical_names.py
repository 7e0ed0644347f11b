"""Two copies under two names share an account: no name in a template is fixed, and the longest one fits everywhere."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# As long as the setting may be.
_LONGEST = "a-name-of-20-letters"

# Names within something else than the account, or of something else.
_NAMES_OF_OTHERS = {
    ("AWS::ApiGateway::Method", "OperationName"),
    ("AWS::ApiGateway::Model", "Name"),
    ("AWS::ApiGateway::Stage", "StageName"),
    ("AWS::ApplicationAutoScaling::ScalingPolicy", "PolicyName"),
    ("AWS::CloudWatch::Alarm", "MetricName"),
    ("AWS::EC2::VPCEndpoint", "ServiceName"),
    ("AWS::IAM::Policy", "PolicyName"),
}

# Characters that a name may have (the guides of the services).
_ROOM = {
    ("AWS::ApiGateway::ApiKey", "Name"): 1024,
    ("AWS::ApiGateway::RestApi", "Name"): 1024,
    ("AWS::ApiGateway::UsagePlan", "UsagePlanName"): 1024,
    ("AWS::Batch::JobDefinition", "JobDefinitionName"): 128,
    ("AWS::CloudWatch::Dashboard", "DashboardName"): 255,
    ("AWS::ECR::Repository", "RepositoryName"): 256,
    ("AWS::ECS::TaskDefinition", "Family"): 255,
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "Name"): 32,
    ("AWS::KinesisFirehose::DeliveryStream", "DeliveryStreamName"): 64,
    ("AWS::Lightsail::Instance", "InstanceName"): 255,
    ("AWS::Lightsail::StaticIp", "StaticIpName"): 255,
    ("AWS::SNS::Topic", "DisplayName"): 100,
}

# What CloudFormation adds to the names it makes: two hyphens, and letters of its own.
_ADDED = 2 + 13

_Templates = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def copies(synthesize: Callable[..., Path]) -> list[_Templates]:
    """The templates of two copies, by stack: with the usual name, and with the longest."""
    return [
        {file.name.split(".")[0]: json.loads(file.read_text()) for file in sorted(folder.glob("*.template.json"))}
        for folder in (synthesize(), synthesize(name=_LONGEST))
    ]


def _names(templates: _Templates) -> Iterator[tuple[str, tuple[str, str], Any]]:
    """Every property that names its resource: `stack/logical id`, type and property, value."""
    for stack, template in templates.items():
        for logical_id, resource in template["Resources"].items():
            properties: dict[str, Any] = resource.get("Properties", {})
            for name, value in {**properties, **properties.get("Budget", {})}.items():
                if (name.endswith("Name") or name == "Family") and not resource["Type"].startswith("Custom::"):
                    yield f"{stack}/{logical_id}", (resource["Type"], name), value


def _is_chosen_by_us(value: Any) -> bool:
    return not any(reference in json.dumps(value) for reference in ('{"Ref"', "Fn::GetAtt", "Fn::GetStackOutput"))


def test_no_name_is_fixed(copies: list[_Templates]) -> None:
    usual, longest = ({(where, what): value for where, what, value in _names(templates)} for templates in copies)
    assert {
        where: value
        for (where, what), value in usual.items()
        if what not in _NAMES_OF_OTHERS and _is_chosen_by_us(value) and longest.get((where, what)) == value
    } == {}
    assert any(_LONGEST in str(value) for value in longest.values())


def test_no_output_is_exported_as_exports_have_one_name_in_a_region(copies: list[_Templates]) -> None:
    for stack, template in copies[0].items():
        for name, output in template.get("Outputs", {}).items():
            assert "Export" not in output, f"{stack}/{name}"


def test_the_longest_name_fits_into_every_name(copies: list[_Templates]) -> None:
    checked = 0
    for where, what, value in _names(copies[1]):
        if what not in _NAMES_OF_OTHERS and isinstance(value, str):
            assert what in _ROOM, f"How long may {what} of {where} be?"
            assert len(value) <= _ROOM[what], where
            checked += 1
    assert checked > 0


def test_a_bucket_known_to_a_policy_by_how_its_name_begins_is_not_cut_short(copies: list[_Templates]) -> None:
    # CloudFormation shortens the name of the stack in names that would be longer than the 63 characters of a bucket.
    stack = f"{_LONGEST}-Thumbnails"
    resources = copies[1]["Thumbnails"]["Resources"]
    assert f"s3:::{stack.lower()}-*" in json.dumps(resources)
    for logical_id, resource in resources.items():
        if resource["Type"] == "AWS::S3::Bucket" and "NotificationConfiguration" in resource["Properties"]:
            assert len(stack) + len(logical_id) + _ADDED <= 63
