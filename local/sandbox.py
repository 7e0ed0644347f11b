"""A sandbox: an emulator of AWS, bootstrapped, with the app synthesized for it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer
from botocore.config import Config

from local.cdk import Cdk, Outputs
from local.console import step
from local.emulator import ACCOUNT, REGION, Emulator, kept_on_error, running_emulator


@dataclass
class Sandbox:
    """What a person, the demo and the tests use.

    outputs: of the deployed stacks, by stack id and output name
    """

    emulator: Emulator
    cdk: Cdk
    outputs: Outputs = field(default_factory=dict)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False)

    def client(self, service: str, *, access_key: str = ACCOUNT) -> Any:
        """The boto3 client of the sandbox, as root of its account unless another key is given."""
        # One of each: every other would keep a connection, and the emulator has only so many.
        if (service, access_key) not in self._clients:
            self._clients[service, access_key] = self._new_client(service, access_key)
        return self._clients[service, access_key]

    def _new_client(self, service: str, access_key: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]  # the name is not known to the type checker
            service,
            endpoint_url=self.emulator.endpoint,
            region_name=REGION,
            aws_access_key_id=access_key,
            aws_secret_access_key="local",
            config=Config(proxies={}, retries={"mode": "standard", "total_max_attempts": 3}),
        )

    def deploy(self, *stacks: str) -> None:
        """Deploy these stacks and what they need, or all. Raises SandboxError."""
        with step(f"cdk deploy {' '.join(stacks) or '--all'}"):
            self.outputs |= self.cdk.deploy(*stacks)

    def destroy(self, *stacks: str) -> None:
        """Destroy these stacks, or all. Raises SandboxError."""
        with step(f"cdk destroy {' '.join(stacks) or '--all'}"):
            self.cdk.destroy(*stacks)

    def api_key(self) -> str:
        """What `make key` prints."""
        key_id = self.outputs["Api"]["ApiKeyId"]
        key: str = self.client("apigateway").get_api_key(apiKey=key_id, includeValue=True)["value"]
        return key

    def items(self, table: str) -> list[dict[str, Any]]:
        """Every item of a table, as plain Python values."""
        deserialize = TypeDeserializer().deserialize
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName=table)
        return [{name: deserialize(value) for name, value in item.items()} for page in pages for item in page["Items"]]

    def log_lines(self, stack: str) -> list[str]:
        """The lines that the functions of a stack have logged, oldest first."""
        resources = self.client("cloudformation").get_paginator("list_stack_resources")
        groups = [
            resource["PhysicalResourceId"]
            for page in resources.paginate(StackName=self.cdk.stack_name(stack))
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


@contextmanager
def running_sandbox(port: int | None = None, context: Mapping[str, str] | None = None) -> Iterator[Sandbox]:
    """Start an emulator, bootstrap it and synthesize the app for it; nothing is left when the block ends.

    port: of 127.0.0.1; None takes a free one
    context: settings of the app. Raises SandboxError.
    """
    with running_emulator(port) as emulator:
        cdk = Cdk(emulator, context)
        with kept_on_error(cdk.log):
            with step("cdk synth"):
                cdk.synth()
            with step("cdk bootstrap"):
                cdk.bootstrap()
            yield Sandbox(emulator, cdk)
