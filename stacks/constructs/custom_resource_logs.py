"""Log groups for the custom resource providers that the CDK adds to stacks, for example to empty a bucket."""

from aws_cdk import App, CfnResource
from constructs import Construct

from stacks.constructs.sandbox_log_group import SandboxLogGroup


def add_custom_resource_log_groups(app: App) -> None:
    """Add a log group to each custom resource provider of the stacks, and allow the provider to write to no other.

    Otherwise, Lambda creates the log group when the function first runs, and the log group remains after `cdk destroy`
    (aws-cdk issues 26553 and 33025). Call this function after all stacks are complete.
    """
    # The CDK adds the providers to the stack itself. A visit of every construct would take a tenth of the synthesis.
    for provider in (child for stack in app.node.children for child in stack.node.children):
        if not provider.node.id.startswith("Custom::"):
            continue
        handler, role = provider.node.find_child("Handler"), provider.node.find_child("Role")
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
