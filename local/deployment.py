"""A deployed copy of the service, wherever it is."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

Outputs = dict[str, dict[str, str]]


@dataclass
class Deployment(ABC):
    """What is asked of a copy with the rights of whoever deployed it.

    outputs: of the deployed stacks, by stack id and output name
    """

    outputs: Outputs = field(default_factory=dict, kw_only=True)

    @abstractmethod
    def client(self, service: str) -> Any:
        """The boto3 client of a service of AWS where the copy is."""

    @abstractmethod
    def stack_name(self, stack: str) -> str:
        """The name in the account of the stack with this id."""

    def api_key(self) -> str:
        """What `make key` prints."""
        key_id = self.outputs["Api"]["ApiKeyId"]
        key: str = self.client("apigateway").get_api_key(apiKey=key_id, includeValue=True)["value"]
        return key

    def queue_depth(self, url: str) -> int:
        """Return how many messages a queue holds: visible, in flight, and delayed."""
        names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        answer = self.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return sum(int(count) for count in answer["Attributes"].values())

    def table_items(self, table: str) -> list[dict[str, Any]]:
        """Every item of a table, as plain Python values."""
        deserialize = TypeDeserializer().deserialize
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=table)
        return [{name: deserialize(value) for name, value in item.items()} for page in pages for item in page["Items"]]

    def log_lines(self, stack: str) -> list[str]:
        """The lines that the functions and containers of a stack have logged, oldest first."""
        resources = self.client("cloudformation").get_paginator("list_stack_resources")
        groups = [
            resource["PhysicalResourceId"]
            for page in resources.paginate(StackName=self.stack_name(stack))
            for resource in page["StackResourceSummaries"]
            if resource["ResourceType"] == "AWS::Logs::LogGroup"
        ]
        events = [
            event
            for group in groups
            for page in self.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
            for event in page["events"]
        ]
        return [line for event in sorted(events, key=itemgetter("timestamp")) for line in event["message"].splitlines()]
