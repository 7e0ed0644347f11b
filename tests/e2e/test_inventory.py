"""The inventory that tests compare before and after: it contains what stacks create, so it detects leftovers."""

from local.inventory import inventory
from local.sandbox import Sandbox

# Types whose physical id is the name in the inventory, with their service.
_SERVICES = {
    "AWS::Budgets::Budget": "budgets",
    "AWS::CloudWatch::Alarm": "cloudwatch",
    "AWS::DynamoDB::Table": "dynamodb",
    "AWS::ECR::Repository": "ecr",
    "AWS::ECS::CapacityProvider": "ecs",
    "AWS::IAM::Role": "iam",
    "AWS::Lambda::Function": "lambda",
    "AWS::Logs::LogGroup": "logs",
    "AWS::S3::Bucket": "s3",
    "AWS::SQS::Queue": "sqs",
    "AWS::Scheduler::Schedule": "scheduler",
}


def test_inventory_contains_stack_resources_and_no_aws_defaults(sandbox: Sandbox) -> None:
    cloudformation = sandbox.client("cloudformation")
    made = {
        (resource["ResourceType"], f"{_SERVICES[resource['ResourceType']]} {resource['PhysicalResourceId']}")
        for stack in sandbox.outputs
        for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=sandbox.stack_name(stack))
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] in _SERVICES
    }
    assert {resource_type for resource_type, _ in made} == _SERVICES.keys()
    listed = inventory(sandbox.client)
    assert {name for _, name in made} - listed == set()
    assert {name for name in listed if name.startswith("ecs FARGATE")} == set()
