"""A deployment of the app, in the sandbox or in an AWS account."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer

from operations.redrive import queue_depth

if TYPE_CHECKING:
    import boto3

Outputs = dict[str, dict[str, str]]


@dataclass
class Deployment(ABC):
    """Queries with the permissions of the user who deployed the app.

    Attributes:
        outputs: The outputs of the deployed stacks, by stack id and output name.
    """

    outputs: Outputs = field(default_factory=dict, kw_only=True)

    @abstractmethod
    def client(self, service: str) -> Any:
        """Return the boto3 client of an AWS service."""

    @abstractmethod
    def stack_name(self, stack: str) -> str:
        """Return the name of the stack with this id."""

    def api_key(self) -> str:
        """Return the API key, which `make key` prints."""
        key_id = self.outputs["Api"]["ApiKeyId"]
        key: str = self.client("apigateway").get_api_key(apiKey=key_id, includeValue=True)["value"]
        return key

    def queue_depth(self, url: str) -> int:
        """Return how many messages a queue holds: visible, in flight, and delayed."""
        return queue_depth(self.client("sqs"), url)

    def table_items(self, table: str) -> list[dict[str, Any]]:
        """Return all items of a DynamoDB table as Python values."""
        deserialize = TypeDeserializer().deserialize
        items = self._all("dynamodb", "scan", "Items", TableName=table)
        return [{name: deserialize(value) for name, value in item.items()} for item in items]

    def log_lines(self, stack: str) -> list[str]:
        """Return the lines in the log groups of a stack, oldest first."""
        resources = self._all(
            "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=self.stack_name(stack)
        )
        events = [
            event
            for resource in resources
            if resource["ResourceType"] == "AWS::Logs::LogGroup"
            for event in self._all("logs", "filter_log_events", "events", logGroupName=resource["PhysicalResourceId"])
        ]
        events.sort(key=lambda event: event["timestamp"])
        return [line for event in events for line in event["message"].splitlines()]

    def _all(self, service: str, operation: str, field: str, **parameters: Any) -> Iterator[Any]:
        for page in self.client(service).get_paginator(operation).paginate(**parameters):
            yield from page[field]


@dataclass
class AccountDeployment(Deployment):
    """The deployment with the setting `name` in the account and region of a session."""

    session: boto3.Session
    name: str

    def client(self, service: str) -> Any:
        """Return the boto3 client of an AWS service."""
        return self.session.client(service)  # type: ignore[call-overload]  # mypy needs a literal service name

    def stack_name(self, stack: str) -> str:
        """Return the name of the stack with this id."""
        return f"{self.name}-{stack}"
