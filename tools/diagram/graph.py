"""What the templates say: the main resources of each stack, and what leads from one to another.

An arrow is what a template contains, never what somebody thinks: a notification, a target, a mapping, or a right that
the role of a program has.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.diagram.kinds import KINDS

# Of these one end is named by the first property, the other one by the second.
_JOINS = {
    "AWS::ApiGateway::Method": ("RestApiId", "Integration"),
    "AWS::ApiGateway::Stage": ("RestApiId", "AccessLogSetting"),
    "AWS::ElasticLoadBalancingV2::Listener": ("LoadBalancerArn", "DefaultActions"),
    "AWS::Lambda::EventInvokeConfig": ("FunctionName", "DestinationConfig"),
    "AWS::Lambda::EventSourceMapping": ("EventSourceArn", "FunctionName"),
}

# By these properties a resource leads on.
_LEADS = {
    "AWS::Batch::JobQueue": ["ComputeEnvironmentOrder"],
    "AWS::Budgets::Budget": ["NotificationsWithSubscribers"],
    "AWS::CodeBuild::Project": ["Environment"],
    "AWS::ECS::Service": ["CapacityProviderStrategy", "TaskDefinition"],
    "AWS::Events::Rule": ["Targets"],
    "AWS::KinesisFirehose::DeliveryStream": ["ExtendedS3DestinationConfiguration"],
    "AWS::Lightsail::Instance": ["UserData"],
    "AWS::S3::Bucket": ["NotificationConfiguration"],
    "AWS::SQS::Queue": ["RedrivePolicy"],
    "AWS::Scheduler::Schedule": ["Target"],
}

# These stand for what they name.
_STAND_FOR = {"AWS::ECS::CapacityProvider", "AWS::ECS::TaskDefinition"}

_READING = re.compile(r"\w+:(BatchGet|Describe|Get|List|Query|Receive|Scan)|sqs:DeleteMessage$")

# What the CDK adds to the name in the program to make the name in the template.
_HASH = re.compile(r"[0-9A-F]{8}$")


@dataclass(frozen=True)
class Arrow:
    """source, target: names of boxes. reads: it only reads there."""

    source: str
    target: str
    reads: bool = False


@dataclass(frozen=True)
class Graph:
    """boxes: type and properties by name, `Stack/ConstructId`; needs: stacks by stack, only those that have boxes."""

    boxes: dict[str, tuple[str, dict[str, Any]]]
    arrows: list[Arrow]
    needs: dict[str, list[str]]


def stack_of(name: str) -> str:
    """Return the stack of a box."""
    return name.partition("/")[0]


def read_graph(assembly: Path) -> Graph:
    """The graph of a folder as `cdk synth` writes it."""
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    stacks = {name: each for name, each in artifacts.items() if each["type"] == "aws:cloudformation:stack"}
    templates = {
        stack: json.loads((assembly / artifact["properties"]["templateFile"]).read_text())
        for stack, artifact in stacks.items()
    }
    names = {artifact["properties"].get("stackName", stack): stack for stack, artifact in stacks.items()}
    reading = _Reading(templates, names)
    boxes = {
        name: (resource["Type"], resource.get("Properties", {}))
        for name, resource in sorted(reading.resources.items())
        if _is_box(name, resource)
    }
    needs = {stack: [other for other in stacks if other in stacks[stack].get("dependencies", [])] for stack in stacks}
    return Graph(boxes, reading.arrows(), needs)


def _is_box(name: str, resource: dict[str, Any]) -> bool:
    # The functions that the CDK itself adds serve its deployment, not the photos.
    return resource["Type"] in KINDS and "/Custom" not in name


class _Reading:
    def __init__(self, templates: dict[str, Any], stack_of_name: dict[str, str]) -> None:
        self._templates = templates
        self._stack_of_name = stack_of_name
        self.resources = {
            self._name(stack, logical_id): resource
            for stack, template in templates.items()
            for logical_id, resource in template["Resources"].items()
        }
        # Job definitions have their names from us, and others know them by these: a reference would have a revision.
        self._by_end_of_arn = {
            f":job-definition/{resource['Properties']['JobDefinitionName']}": name
            for name, resource in self.resources.items()
            if "JobDefinitionName" in resource.get("Properties", {})
        }

    def arrows(self) -> list[Arrow]:
        """Each pair once; of two opposite ones, the one that only reads goes without saying."""
        found: dict[tuple[str, str], bool] = {}
        for source, target, reads in self._all_arrows():
            if source != target:
                found[source, target] = found.get((source, target), True) and reads
        return [
            Arrow(source, target, reads)
            for (source, target), reads in sorted(found.items())
            if not (reads and found.get((target, source)) is False)
        ]

    def _all_arrows(self) -> Iterator[tuple[str, str, bool]]:
        for name, resource in self.resources.items():
            stack, properties = name.partition("/")[0], resource.get("Properties", {})
            if resource["Type"] in _JOINS:
                start, end = _JOINS[resource["Type"]]
                for source in self._boxes(stack, properties.get(start)):
                    for target in self._boxes(stack, properties.get(end)):
                        yield source, target, False
            for lead in _LEADS.get(resource["Type"], []):
                for target in self._boxes(stack, properties.get(lead)):
                    yield name, target, False
            if _is_box(name, resource):
                yield from self._rights(name, stack, properties)

    def _rights(self, name: str, stack: str, properties: dict[str, Any]) -> Iterator[tuple[str, str, bool]]:
        roles = {ref for ref in self._references(stack, properties) if self._type(ref) == "AWS::IAM::Role"}
        for policy, resource in self.resources.items():
            where = policy.partition("/")[0]
            if resource["Type"] != "AWS::IAM::Policy" or not roles & self._references(
                where, resource["Properties"]["Roles"]
            ):
                continue
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
                reads = all(_READING.match(action) for action in actions)
                for target in self._boxes(where, statement["Resource"]):
                    yield name, target, reads

    def _boxes(self, stack: str, value: Any) -> set[str]:
        """The boxes that a value names, itself or by what stands for them."""
        found = set()
        for ref in self._references(stack, value):
            if ref in self.resources and _is_box(ref, self.resources[ref]):
                found.add(ref)
            elif self._type(ref) in _STAND_FOR:
                found |= self._boxes(ref.partition("/")[0], self.resources[ref]["Properties"])
            elif self._type(ref) == "AWS::ElasticLoadBalancingV2::TargetGroup":
                found |= self._services_of(ref)
        return found

    def _services_of(self, target_group: str) -> set[str]:
        return {
            name
            for name, resource in self.resources.items()
            if resource["Type"] == "AWS::ECS::Service"
            and target_group in self._references(name.partition("/")[0], resource["Properties"].get("LoadBalancers"))
        }

    def _references(self, stack: str, value: Any) -> set[str]:
        """Names of all resources in a value, in whichever stack they are."""
        if isinstance(value, str):
            return {name for end, name in self._by_end_of_arn.items() if value.endswith(end)}
        if isinstance(value, list):
            return set().union(*(self._references(stack, each) for each in value))
        if not isinstance(value, dict):
            return set()
        match value:
            case {"Ref": logical_id}:
                return {self._name(stack, logical_id)}
            case {"Fn::GetAtt": [logical_id, _]}:
                return {self._name(stack, logical_id)}
            case {"Fn::GetStackOutput": {"StackName": stack_name, "OutputName": output}}:
                other = self._stack_of_name[stack_name]
                return self._references(other, self._templates[other]["Outputs"][output])
        return self._references(stack, list(value.values()))

    def _type(self, name: str) -> str | None:
        return self.resources[name]["Type"] if name in self.resources else None

    @staticmethod
    def _name(stack: str, logical_id: str) -> str:
        return f"{stack}/{_HASH.sub('', logical_id)}"
