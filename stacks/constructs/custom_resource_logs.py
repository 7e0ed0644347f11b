"""Log groups for the custom resource providers that the CDK adds to stacks, for example to empty a bucket."""

from aws_cdk import CfnResource
from constructs import Construct, IConstruct

from stacks.constructs.sandbox_log_group import SandboxLogGroup


def add_custom_resource_log_groups(scope: IConstruct) -> None:
    """Add a log group to each custom resource provider below `scope`, and allow the provider to write to no other.

    Otherwise, Lambda creates the log group when the function first runs, and the log group remains after `cdk destroy`
    (aws-cdk issues 26553 and 33025). Call this function after all stacks are complete.
    """
    for provider in scope.node.find_all():
        handler = provider.node.try_find_child("Handler")
        role = provider.node.try_find_child("Role")
        if not (provider.node.id.startswith("Custom::") and handler and role):
            continue
        assert isinstance(provider, Construct) and isinstance(handler, CfnResource) and isinstance(role, CfnResource)
        log_group = SandboxLogGroup(provider, "Log")
        handler.add_property_override("LoggingConfig", {"LogGroup": log_group.log_group_name})
        write_log = {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": log_group.log_group_arn,
        }
        role.add_property_deletion_override("ManagedPolicyArns")
        role.add_property_override(
            "Policies",
            [{"PolicyName": "Log", "PolicyDocument": {"Version": "2012-10-17", "Statement": [write_log]}}],
        )
