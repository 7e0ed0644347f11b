"""CloudFormation with a few stacks, whose deletions take some queries or fail."""

from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError


class FakeCloudFormation:
    """A fake client of CloudFormation.

    Attributes:
        stacks: The description of each stack by name.
        deleted: The names of the stacks whose deletion was requested, in order. Those that were requested between two
            queries are in one set.
        failing: The names of stacks whose deletion fails.
        protected: The names of stacks whose deletion CloudFormation rejects.
    """

    def __init__(self) -> None:
        self.stacks: dict[str, dict[str, Any]] = {}
        self.deleted: list[set[str]] = []
        self.failing: set[str] = set()
        self.protected: set[str] = set()

    def add(self, *names: str, tag: str = "photos", status: str = "CREATE_COMPLETE", **outputs: str) -> None:
        """Create stacks, each a minute after the previous one."""
        for name in names:
            self.stacks[name] = {
                "StackName": name,
                "StackId": f"arn:{name}",
                "StackStatus": status,
                "CreationTime": datetime(2026, 11, 28, tzinfo=UTC) + timedelta(minutes=len(self.stacks)),
                "Tags": [{"Key": "project", "Value": tag}],
                "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
            }

    def get_paginator(self, operation: str) -> "FakeCloudFormation":
        """Return the paginator of DescribeStacks."""
        assert operation == "describe_stacks"
        return self

    def paginate(self) -> list[dict[str, Any]]:
        """Return pages of one stack each. Deletions in progress end after the second query."""
        pages = [{"Stacks": [dict(stack)]} for stack in self.stacks.values()]
        previous = self.deleted[-1] if self.deleted else set[str]()
        self.deleted.append(set())
        for name, stack in list(self.stacks.items()):
            if stack["StackStatus"] == "DELETE_IN_PROGRESS" and name not in previous:
                if name in self.failing:
                    stack |= {"StackStatus": "DELETE_FAILED", "StackStatusReason": "[Bucket] is not empty"}
                else:
                    del self.stacks[name]
        return pages

    def delete_stack(self, StackName: str) -> None:
        """Start the deletion of a stack, unless it is protected."""
        name = StackName.removeprefix("arn:")
        self.deleted[-1].add(name)
        if name in self.protected:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "TerminationProtection"}}, "DeleteStack")
        self.stacks[name]["StackStatus"] = "DELETE_IN_PROGRESS"
