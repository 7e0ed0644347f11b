"""Several deployments share an account: every physical name contains the setting `name`, and the longest one fits."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.compliance.conftest import EXPIRES_AT
from tests.templates import of_type, read_templates

# The longest value that the setting allows.
_LONGEST = "a-name-of-20-letters"

# Properties whose values are not physical names, or need to be unique only within another resource.
_NOT_PHYSICAL_NAMES = {
    ("AWS::ApiGateway::Method", "OperationName"),
    ("AWS::ApiGateway::Model", "Name"),
    ("AWS::ApiGateway::Stage", "StageName"),
    ("AWS::ApplicationAutoScaling::ScalingPolicy", "PolicyName"),
    ("AWS::CloudWatch::Alarm", "MetricName"),
    ("AWS::EC2::VPCEndpoint", "ServiceName"),
    ("AWS::IAM::Policy", "PolicyName"),
}

# Maximum length in characters, from the documentation of each service.
_MAX_LENGTH = {
    ("AWS::ApiGateway::ApiKey", "Name"): 1024,
    ("AWS::ApiGateway::RestApi", "Name"): 1024,
    ("AWS::ApiGateway::UsagePlan", "UsagePlanName"): 1024,
    ("AWS::Batch::JobDefinition", "JobDefinitionName"): 128,
    ("AWS::CloudWatch::Dashboard", "DashboardName"): 255,
    ("AWS::ECR::Repository", "RepositoryName"): 256,
    ("AWS::ECS::Service", "ServiceName"): 255,
    ("AWS::ECS::TaskDefinition", "Family"): 255,
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "Name"): 32,
    ("AWS::KinesisFirehose::DeliveryStream", "DeliveryStreamName"): 64,
    ("AWS::Lightsail::Instance", "InstanceName"): 255,
    ("AWS::Lightsail::StaticIp", "StaticIpName"): 255,
    ("AWS::SNS::Topic", "DisplayName"): 100,
    ("AWS::XRay::SamplingRule", "RuleName"): 32,
    ("AWS::XRay::SamplingRule", "ServiceName"): 64,
}

# CloudFormation adds two hyphens and a random suffix to generated names.
_SUFFIX = 2 + 13

_Templates = dict[str, dict[str, Any]]


# With workers, the app has all other names, too.
@pytest.fixture(scope="module", params=["fargate", "ec2"])
def compute(request: pytest.FixtureRequest) -> str:
    value: str = request.param
    return value


@pytest.fixture(scope="module")
def default(synthesize: Callable[..., Path], compute: str) -> _Templates:
    return read_templates(synthesize(thumbnails_on=compute, expires_at=EXPIRES_AT))


@pytest.fixture(scope="module")
def longest(synthesize: Callable[..., Path], compute: str) -> _Templates:
    return read_templates(synthesize(name=_LONGEST, thumbnails_on=compute, expires_at=EXPIRES_AT))


def _names(templates: _Templates) -> Iterator[tuple[str, tuple[str, str], Any]]:
    """Every property with a physical name: `stack/logical id`, type and property, value."""
    for stack, template in templates.items():
        for logical_id, resource in template["Resources"].items():
            properties: dict[str, Any] = resource.get("Properties", {})
            inner = {**properties.get("Budget", {}), **properties.get("SamplingRule", {})}
            for name, value in {**properties, **inner}.items():
                is_name = (name.endswith("Name") or name == "Family") and not resource["Type"].startswith("Custom::")
                if is_name and (resource["Type"], name) not in _NOT_PHYSICAL_NAMES:
                    yield f"{stack}/{logical_id}", (resource["Type"], name), value


def _is_reference(value: Any) -> bool:
    return any(reference in json.dumps(value) for reference in ('{"Ref"', "Fn::GetAtt", "Fn::GetStackOutput"))


def test_physical_names_differ_between_deployments(default: _Templates, longest: _Templates) -> None:
    others = {(resource, kind): value for resource, kind, value in _names(longest)}
    assert any(_LONGEST in str(value) for value in others.values())
    fixed = {
        resource: value
        for resource, kind, value in _names(default)
        if not _is_reference(value) and others.get((resource, kind)) == value
    }
    assert fixed == {}


def test_no_output_is_exported(default: _Templates) -> None:
    """Export names are unique in a Region."""
    for stack, template in default.items():
        assert not [name for name, output in template.get("Outputs", {}).items() if "Export" in output], stack


def test_longest_name_fits_in_every_physical_name(longest: _Templates) -> None:
    lengths = [(resource, kind, len(value)) for resource, kind, value in _names(longest) if isinstance(value, str)]
    assert lengths
    for resource, kind, length in lengths:
        assert kind in _MAX_LENGTH, f"{resource}: add the maximum length of {kind}"
        assert length <= _MAX_LENGTH[kind], resource


def test_bucket_name_keeps_the_prefix_in_the_queue_policy(longest: _Templates) -> None:
    """CloudFormation shortens the stack name in generated names with more than the 63 characters of a bucket."""
    stack, resources = f"{_LONGEST}-Thumbnails", longest["Thumbnails"]["Resources"]
    assert f"s3:::{stack.lower()}-*" in json.dumps(resources)
    for logical_id, bucket in of_type(resources, "AWS::S3::Bucket").items():
        if "NotificationConfiguration" in bucket["Properties"]:
            assert len(stack) + len(logical_id) + _SUFFIX <= 63


def test_function_name_keeps_the_prefix_in_the_repository_policy(synthesize: Callable[..., Path]) -> None:
    """CloudFormation shortens the stack name in generated names with more than the 64 characters of a function."""
    templates = read_templates(synthesize(thumbnails_on="lambda-image"))
    (function,) = of_type(templates["Thumbnails"]["Resources"], "AWS::Lambda::Function", PackageType="Image")
    assert ":function:other-compute-Thumbnails-*" in json.dumps(templates["Registry"])
    assert len(f"{_LONGEST}-Thumbnails") + len(function) + _SUFFIX <= 64
