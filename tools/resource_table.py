"""The table of resources in the README, from the templates."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

# Where the name that CloudFormation has for a type does not tell a reader what it is.
_NAMES = {
    "AWS::ApiGateway::ApiKey": "API key",
    "AWS::ApiGateway::GatewayResponse": "API Gateway response",
    "AWS::ApiGateway::RestApi": "REST API",
    "AWS::ApplicationAutoScaling::ScalableTarget": "scalable target",
    "AWS::ApplicationAutoScaling::ScalingPolicy": "scaling policy",
    "AWS::Budgets::Budget": "budget",
    "AWS::CloudWatch::Alarm": "alarm",
    "AWS::CloudWatch::Dashboard": "dashboard",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "load balancer",
    "AWS::Events::Rule": "event rule",
    "AWS::IAM::InstanceProfile": "instance profile",
    "AWS::IAM::Policy": "policy of a role",
    "AWS::IAM::Role": "role",
    "AWS::Lambda::EventInvokeConfig": "retries of a function",
    "AWS::Lambda::EventSourceMapping": "queue-to-function mapping",
    "AWS::Lambda::Permission": "right to call a function",
    "AWS::Lightsail::StaticIp": "Lightsail static IP",
    "AWS::Logs::LogGroup": "log group",
    "AWS::Scheduler::Schedule": "EventBridge schedule",
    "AWS::SNS::TopicPolicy": "topic policy",
    "AWS::SQS::QueuePolicy": "queue policy",
    "AWS::S3::BucketPolicy": "bucket policy",
    "Custom::ContainerImage": "built image",
    "Custom::S3AutoDeleteObjects": "emptying of a bucket on delete",
}
_WORDS = {"Api": "API", "Rest": "REST"}
_SERVICES = {
    "ApiGateway": "API Gateway",
    "AutoScaling": "EC2",
    "ElasticLoadBalancingV2": "load-balancer",
    "KinesisFirehose": "Firehose",
}

# What keeps data until its stack is destroyed.
_KEEPS_DATA = {
    "AWS::DynamoDB::Table",
    "AWS::ECR::Repository",
    "AWS::Lightsail::Instance",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SQS::Queue",
}


def resource_table(assembly: Path) -> str:
    """A Markdown table of all stacks in a folder as `cdk synth` writes it."""
    manifest = json.loads((assembly / "manifest.json").read_text())
    stacks = {
        stack: artifact
        for stack, artifact in sorted(manifest["artifacts"].items())
        if artifact["type"] == "aws:cloudformation:stack"
    }
    rows = ["| Stack | Needs | Resources | Keeps data, until it is destroyed |", "|---|---|---|---|"]
    for stack, artifact in stacks.items():
        needs = [f"`{needed}`" for needed in stacks if needed in artifact.get("dependencies", [])]
        template = json.loads((assembly / artifact["properties"]["templateFile"]).read_text())
        rows.append(_row(stack, needs, template["Resources"]))
    return "\n".join(rows)


def _row(stack: str, needs: list[str], resources: dict[str, Any]) -> str:
    types = Counter(resource["Type"] for resource in resources.values() if resource["Type"] != "AWS::CDK::Metadata")
    named = sorted(((_name(type_), type_, count) for type_, count in types.items()), key=lambda row: row[0].lower())
    cells = [f"{name} × {count}" if count > 1 else name for name, _, count in named]
    keeps = [name for name, type_, _ in named if type_ in _KEEPS_DATA]
    return f"| `{stack}` | {', '.join(needs) or 'nothing'} | {', '.join(cells)} | {', '.join(keeps) or 'nothing'} |"


def _name(resource_type: str) -> str:
    """A type in words: `AWS::Batch::JobQueue` is a Batch job queue."""
    if resource_type in _NAMES:
        return _NAMES[resource_type]
    service, _, resource = resource_type.removeprefix("AWS::").rpartition("::")
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*", resource)
    return " ".join(
        [
            _SERVICES.get(service, service),
            *(_WORDS.get(word, word if word.isupper() else word.lower()) for word in words),
        ]
    )
