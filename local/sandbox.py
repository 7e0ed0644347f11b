"""The sandbox: an emulator of AWS with the CDK bootstrapped and the app synthesized."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config

from local.cdk import Cdk
from local.console import Step, step
from local.deployment import Deployment, Outputs
from local.emulator import REGION, Emulator, log_kept_on_error, running_emulator
from local.errors import SandboxError


@dataclass
class Sandbox(Deployment):
    """A deployment in the emulator."""

    emulator: Emulator
    cdk: Cdk
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service, as root of the account."""
        # Each client holds a connection, and the emulator limits their number.
        if service not in self._clients:
            self._clients[service] = boto3.client(  # type: ignore[call-overload]  # any service
                service,
                endpoint_url=self.emulator.endpoint,
                region_name=REGION,
                aws_access_key_id=self.emulator.access_key_id,
                aws_secret_access_key=self.emulator.secret_access_key,
                config=Config(proxies={}, retries={"mode": "standard", "total_max_attempts": 3}),
            )
        return self._clients[service]

    def deploy(self, *stacks: str) -> None:
        """Deploy these stacks and their dependencies, or all. Raises SandboxError."""
        with step(f"cdk deploy {' '.join(stacks) or '--all'}") as progress:
            self.outputs |= self.cdk.deploy(*stacks, step=progress)

    def update(self) -> Outputs:
        """Synthesize again, deploy the stacks that changed, and return their outputs. Raises SandboxError."""
        with step("cdk synth") as progress:
            self.cdk.synth(progress)
        changed, removed = self.cdk.changes()
        if removed:
            raise SandboxError(
                f"Not in the app any longer: {', '.join(removed)}. To continue without, restart the sandbox."
            )
        if not changed:
            return {}
        with step(f"cdk deploy {' '.join(changed)}") as progress:
            outputs = self.cdk.deploy(*changed, exclusively=True, step=progress)
        self.outputs |= outputs
        return outputs

    def destroy(self, *stacks: str) -> None:
        """Destroy these stacks, or all. Raises SandboxError."""
        with step(f"cdk destroy {' '.join(stacks) or '--all'}") as progress:
            self.cdk.destroy(*stacks, step=progress)

    def stack_name(self, stack: str) -> str:
        """Return the name of the stack with this id."""
        return self.cdk.stack_name(stack)


@contextmanager
def running_sandbox(port: int | None = None, context: Mapping[str, str] | None = None) -> Iterator[Sandbox]:
    """Start an emulator, synthesize the app, and bootstrap; when the block ends, remove everything.

    Args:
        port: A port on 127.0.0.1. The default is a free port.
        context: Settings of the app.

    Raises:
        SandboxError: A step failed.
    """
    with running_emulator(port) as emulator:
        cdk = Cdk(emulator, context)
        with log_kept_on_error(cdk.log):
            with ThreadPoolExecutor() as executor:
                # Neither needs the other, and each of them waits most of its time for other processes.
                bootstrap_progress = Step()
                bootstrap = executor.submit(cdk.bootstrap, bootstrap_progress)
                with step("cdk synth") as progress:
                    cdk.synth(progress)
                with step("cdk bootstrap", bootstrap_progress):
                    bootstrap.result()
            yield Sandbox(emulator, cdk)
