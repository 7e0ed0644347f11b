"""The main resources of each stack and the connections between them, read from the templates.

Every arrow is in a template: a notification, a target, an event source mapping, or a permission of a role.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.diagram.kinds import KINDS

# Types that connect two resources: the property that names the source, and the one that names the target.
_CONNECTIONS = {
    "AWS::ApiGateway::Method": ("RestApiId", "Integration"),
    "AWS::ApiGateway::Stage": ("RestApiId", "AccessLogSetting"),
    "AWS::ElasticLoadBalancingV2::Listener": ("LoadBalancerArn", "DefaultActions"),
    "AWS::Lambda::EventInvokeConfig": ("FunctionName", "DestinationConfig"),
    "AWS::Lambda::EventSourceMapping": ("EventSourceArn", "FunctionName"),
}

# Types with targets, and the properties that name them.
_TARGETS = {
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

# Types that the diagram omits: a reference to one counts as a reference to the resources that it names.
_TRANSPARENT = {"AWS::ECS::CapacityProvider", "AWS::ECS::TaskDefinition"}

_READ_ACTION = re.compile(r"\w+:(BatchGet|Describe|Get|List|Query|Receive|Scan)|sqs:DeleteMessage$")

# The suffix that the CDK appends to a construct id to make the logical id.
_HASH = re.compile(r"[0-9A-F]{8}$")


@dataclass(frozen=True)
class Arrow:
    """A connection from one box to another.

    Attributes:
        source: name of a box
        target: name of a box
        reads: whether the source only reads from the target
    """

    source: str
    target: str
    reads: bool = False


@dataclass(frozen=True)
class Graph:
    """The content of the diagram.

    Attributes:
        boxes: resource type and properties, by name (`Stack/ConstructId`)
        arrows: sorted by name
        needs: by stack, the stacks that it depends on
    """

    boxes: dict[str, tuple[str, dict[str, Any]]]
    arrows: list[Arrow]
    needs: dict[str, list[str]]


def stack_of(name: str) -> str:
    """Return the stack of a resource."""
    return name.partition("/")[0]


def read_graph(assembly: Path) -> Graph:
    """Read the graph from a cloud assembly, the folder that `cdk synth` writes."""
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    stacks = {name: each for name, each in artifacts.items() if each["type"] == "aws:cloudformation:stack"}
    templates = _Templates(
        {
            stack: json.loads((assembly / artifact["properties"]["templateFile"]).read_text())
            for stack, artifact in stacks.items()
        },
        {artifact["properties"].get("stackName", stack): stack for stack, artifact in stacks.items()},
    )
    boxes = {
        name: (resource["Type"], resource.get("Properties", {}))
        for name, resource in sorted(templates.resources.items())
        if _is_box(name, resource)
    }
    needs = {stack: [other for other in stacks if other in stacks[stack].get("dependencies", [])] for stack in stacks}
    return Graph(boxes, templates.arrows(), needs)


def _is_box(name: str, resource: dict[str, Any]) -> bool:
    # Functions that the CDK adds serve the deployment, not the photos.
    return resource["Type"] in KINDS and "/Custom" not in name


class _Templates:
    def __init__(self, templates: dict[str, Any], stack_ids: dict[str, str]) -> None:
        self._templates = templates
        self._stack_ids = stack_ids  # by stack name
        self.resources = {
            self._name(stack, logical_id): resource
            for stack, template in templates.items()
            for logical_id, resource in template["Resources"].items()
        }
        # Policies name job definitions by their fixed names: a reference would contain a revision.
        self._by_arn_suffix = {
            f":job-definition/{resource['Properties']['JobDefinitionName']}": name
            for name, resource in self.resources.items()
            if "JobDefinitionName" in resource.get("Properties", {})
        }

    def arrows(self) -> list[Arrow]:
        """Return one arrow for each pair of boxes. A write in one direction hides a read in the other."""
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
            stack, properties = stack_of(name), resource.get("Properties", {})
            if resource["Type"] in _CONNECTIONS:
                source_property, target_property = _CONNECTIONS[resource["Type"]]
                for source in self._boxes(stack, properties.get(source_property)):
                    for target in self._boxes(stack, properties.get(target_property)):
                        yield source, target, False
            for target_property in _TARGETS.get(resource["Type"], []):
                for target in self._boxes(stack, properties.get(target_property)):
                    yield name, target, False
            if _is_box(name, resource):
                yield from self._permissions(name, stack, properties)

    def _permissions(self, name: str, stack: str, properties: dict[str, Any]) -> Iterator[tuple[str, str, bool]]:
        roles = {ref for ref in self._references(stack, properties) if self._type(ref) == "AWS::IAM::Role"}
        for policy, resource in self.resources.items():
            if resource["Type"] != "AWS::IAM::Policy":
                continue
            policy_stack, policy_properties = stack_of(policy), resource["Properties"]
            if not roles & self._references(policy_stack, policy_properties["Roles"]):
                continue
            for statement in policy_properties["PolicyDocument"]["Statement"]:
                actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
                reads = all(_READ_ACTION.match(action) for action in actions)
                for target in self._boxes(policy_stack, statement["Resource"]):
                    yield name, target, reads

    def _boxes(self, stack: str, value: Any) -> set[str]:
        """Return the boxes that a value names, directly or through other resources."""
        found = set()
        for ref in self._references(stack, value):
            if ref in self.resources and _is_box(ref, self.resources[ref]):
                found.add(ref)
            elif self._type(ref) in _TRANSPARENT:
                found |= self._boxes(stack_of(ref), self.resources[ref]["Properties"])
            elif self._type(ref) == "AWS::ElasticLoadBalancingV2::TargetGroup":
                found |= self._services_behind(ref)
        return found

    def _services_behind(self, target_group: str) -> set[str]:
        return {
            name
            for name, resource in self.resources.items()
            if resource["Type"] == "AWS::ECS::Service"
            and target_group in self._references(stack_of(name), resource["Properties"].get("LoadBalancers"))
        }

    def _references(self, stack: str, value: Any) -> set[str]:
        """Return the names of all resources that a value refers to, in any stack."""
        if isinstance(value, str):
            return {name for suffix, name in self._by_arn_suffix.items() if value.endswith(suffix)}
        if isinstance(value, list):
            return set().union(*(self._references(stack, each) for each in value))
        if not isinstance(value, dict):
            return set()
        match value:
            case {"Fn::GetAtt": [_, "RegionalDomainName"]}:
                return set()  # part of a bucket's URL, which the gallery page requests, not the service that serves it
            case {"Ref": logical_id} | {"Fn::GetAtt": [logical_id, _]}:
                return {self._name(stack, logical_id)}
            case {"Fn::GetStackOutput": {"StackName": stack_name, "OutputName": output}}:
                other = self._stack_ids[stack_name]
                return self._references(other, self._templates[other]["Outputs"][output])
        return self._references(stack, list(value.values()))

    def _type(self, name: str) -> str | None:
        return self.resources[name]["Type"] if name in self.resources else None

    @staticmethod
    def _name(stack: str, logical_id: str) -> str:
        return f"{stack}/{_HASH.sub('', logical_id)}"
