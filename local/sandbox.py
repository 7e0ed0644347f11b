"""A sandbox: an emulator of AWS, bootstrapped, with the app synthesized for it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config

from local.cdk import Cdk, Outputs
from local.console import step
from local.emulator import ACCOUNT, REGION, Emulator, running_emulator


@dataclass
class Sandbox:
    """What a person, the demo and the tests use.

    outputs: of the deployed stacks, by stack id and output name
    """

    emulator: Emulator
    cdk: Cdk
    outputs: Outputs = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """A boto3 client of the sandbox, as root of its account."""
        return boto3.client(  # type: ignore[call-overload]  # the name is not known to the type checker
            service,
            endpoint_url=self.emulator.endpoint,
            region_name=REGION,
            aws_access_key_id=ACCOUNT,
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


@contextmanager
def running_sandbox(port: int | None = None, context: Mapping[str, str] | None = None) -> Iterator[Sandbox]:
    """Start an emulator, bootstrap it and synthesize the app for it; nothing is left when the block ends.

    port: of 127.0.0.1; None takes a free one
    context: settings of the app. Raises SandboxError.
    """
    with running_emulator(port) as emulator:
        cdk = Cdk(emulator, context)
        with step("cdk synth"):
            cdk.synth()
        with step("cdk bootstrap"):
            cdk.bootstrap()
        yield Sandbox(emulator, cdk)
        cdk.log.unlink()
