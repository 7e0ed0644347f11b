"""A sandbox: an emulator of AWS, bootstrapped, with the app synthesized for it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config

from local.cdk import Cdk
from local.console import step
from local.deployment import Deployment
from local.emulator import ACCOUNT, REGION, Emulator, log_kept_on_error, running_emulator


@dataclass
class Sandbox(Deployment):
    """What a person, the demo and the tests use."""

    emulator: Emulator
    cdk: Cdk
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

    def stack_name(self, stack: str) -> str:
        """The name in the account of the stack with this id."""
        return self.cdk.stack_name(stack)


@contextmanager
def running_sandbox(port: int | None = None, context: Mapping[str, str] | None = None) -> Iterator[Sandbox]:
    """Start an emulator, bootstrap it and synthesize the app for it; nothing is left when the block ends.

    port: of 127.0.0.1; None takes a free one
    context: settings of the app. Raises SandboxError.
    """
    with running_emulator(port) as emulator:
        cdk = Cdk(emulator, context)
        with log_kept_on_error(cdk.log):
            with step("cdk synth"):
                cdk.synth()
            with step("cdk bootstrap"):
                cdk.bootstrap()
            yield Sandbox(emulator, cdk)
