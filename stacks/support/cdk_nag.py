"""Acknowledgements of cdk-nag findings, each with its reason, at the construct that causes the finding."""

import hashlib
import json
import re
from typing import Any

from aws_cdk import Acknowledgment, CfnElement, Stack, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, **reasons: str) -> None:
    """Accept findings of the AwsSolutions pack for a construct and all constructs below it.

    Args:
        reasons: The reason for each rule, without the prefix of the pack: `S1="why"`.
    """
    for rule, reason in reasons.items():
        _acknowledge(construct, rule, reason)


def acknowledge_wildcard(construct: IConstruct, resource: str | IConstruct, reason: str, *, objects: str = "*") -> None:
    """Accept a wildcard in a policy (rule IAM5).

    Args:
        resource: The ARN with the wildcard, or a bucket.
        objects: Object key pattern in that bucket.
    """
    stack = Stack.of(construct)
    arn = _text(stack.resolve(resource)) if isinstance(resource, str) else f"{_bucket_arn(resource, stack)}/{objects}"
    _acknowledge(construct, f"IAM5[Resource::{arn}]", reason)


def _text(arn: Any) -> str:
    """An ARN, resolved or plain, in the notation of cdk-nag."""
    if isinstance(arn, str):
        return arn
    return "".join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in arn["Fn::Join"][1])


def _bucket_arn(bucket: IConstruct, user: Stack) -> str:
    """The ARN of a bucket in the notation of cdk-nag for a policy in the stack `user`."""
    element, stack = bucket.node.default_child, Stack.of(bucket)
    assert isinstance(element, CfnElement)
    logical_id = stack.get_logical_id(element)
    if stack is user:
        return f"<{logical_id}.Arn>"
    # For a bucket of another stack, the CDK adds an output to that stack and derives its name from this path.
    path = f'Publish/Output{{"Fn::GetAtt":["{logical_id}","Arn"]}}'
    output = re.sub(r"[^A-Za-z0-9]", "", path) + hashlib.md5(path.encode()).hexdigest()[:8].upper()
    reference = {"StackName": stack.stack_name, "Region": {"Ref": "AWS::Region"}, "OutputName": output}
    return json.dumps({"Fn::GetStackOutput": reference}, separators=(",", ":"))


def _acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    Validations.of(construct).acknowledge(Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason))
