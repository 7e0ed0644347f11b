"""Findings of cdk-nag that are meant to be so, said with the reason at the construct they are about."""

from aws_cdk import Acknowledgment, CfnElement, Stack, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, **reasons: str) -> None:
    """Accept findings of the pack AwsSolutions on this construct and all below it: `S1="why"`."""
    for rule, reason in reasons.items():
        _acknowledge(construct, rule, reason)


def acknowledge_wildcard(construct: IConstruct, resource: str | IConstruct, reason: str) -> None:
    """Accept IAM5, a wildcard in a policy: this resource as written there, or every object of this bucket."""
    if not isinstance(resource, str):
        element = resource.node.default_child
        assert isinstance(element, CfnElement)
        resource = f"<{Stack.of(resource).get_logical_id(element)}.Arn>/*"
    _acknowledge(construct, f"IAM5[Resource::{resource}]", reason)


def _acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    Validations.of(construct).acknowledge(Acknowledgment(id=f"AwsSolutions::AwsSolutions-{rule}", reason=reason))
