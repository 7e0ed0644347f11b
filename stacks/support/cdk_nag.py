"""Findings of cdk-nag that are meant to be so, said with the reason at the construct they are about."""

import hashlib
import json
import re
from typing import Any

from aws_cdk import Acknowledgment, CfnElement, Stack, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, **reasons: str) -> None:
    """Accept findings of the pack AwsSolutions on this construct and all below it: `S1="why"`."""
    for rule, reason in reasons.items():
        _acknowledge(construct, rule, reason)


def acknowledge_wildcard(construct: IConstruct, resource: str | IConstruct, reason: str, *, objects: str = "*") -> None:
    """Accept IAM5, a wildcard in a policy: this resource as written there, or these objects of this bucket."""
    stack = Stack.of(construct)
    written = _written(stack.resolve(resource)) if isinstance(resource, str) else f"{_arn(resource, stack)}/{objects}"
    _acknowledge(construct, f"IAM5[Resource::{written}]", reason)


def _written(resource: Any) -> str:
    """An ARN, in a template or as its text, as cdk-nag writes it."""
    if isinstance(resource, str):
        return resource
    return "".join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in resource["Fn::Join"][1])


def _arn(bucket: IConstruct, where: Stack) -> str:
    """The ARN of a bucket as cdk-nag writes it where a policy in this stack names it."""
    element, stack = bucket.node.default_child, Stack.of(bucket)
    assert isinstance(element, CfnElement)
    logical_id = stack.get_logical_id(element)
    if stack is where:
        return f"<{logical_id}.Arn>"
    # Another stack's is an output of that stack, which the CDK adds at synth under a name that it makes from this path.
    path = f'Publish/Output{{"Fn::GetAtt":["{logical_id}","Arn"]}}'
    output = re.sub(r"[^A-Za-z0-9]", "", path) + hashlib.md5(path.encode()).hexdigest()[:8].upper()
    reference = {"StackName": stack.stack_name, "Region": {"Ref": "AWS::Region"}, "OutputName": output}
    return json.dumps({"Fn::GetStackOutput": reference}, separators=(",", ":"))


def _acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    Validations.of(construct).acknowledge(Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason))
