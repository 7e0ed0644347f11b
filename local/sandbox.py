"""The sandbox: an emulator of AWS with the CDK bootstrapped and the app synthesized."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from local.cdk import Cdk
from local.console import Step, step
from local.deployment import Deployment
from local.emulator import REGION, Emulator, log_kept_on_error, running_emulator
from local.errors import SandboxError
from operations.cdk import Assembly
from operations.deployed_stacks import DeployedStack, deletions_around_deployment, deployed_templates, find_stacks
from operations.settings import replaced_consumer
from operations.stale_references import stale_message, stale_stacks


class _Session(boto3.Session):
    def __init__(self, emulator: Emulator) -> None:
        super().__init__(emulator.access_key_id, emulator.secret_access_key, region_name=REGION)
        config = Config(proxies={}, retries={"mode": "standard", "total_max_attempts": 3})
        self._options = {"endpoint_url": emulator.endpoint, "config": config}

    def client(self, *arguments: Any, **options: Any) -> Any:
        return super().client(*arguments, **{**options, **self._options})


@dataclass
class Sandbox(Deployment):
    """A deployment in the emulator."""

    emulator: Emulator
    cdk: Cdk
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)
    # The stacks before the first update that failed or left stale references.
    _before: dict[str, DeployedStack] | None = field(default=None, repr=False)

    @cached_property
    def session(self) -> boto3.Session:
        """A session as root of the account."""
        return _Session(self.emulator)

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service, as root of the account."""
        # Each client holds a connection, and the emulator limits their number.
        if service not in self._clients:
            self._clients[service] = self.session.client(service)  # type: ignore[call-overload]  # any service
        return self._clients[service]

    def deploy(self, *stacks: str) -> None:
        """Deploy these stacks and their dependencies, or all. Raises SandboxError."""
        with step(f"cdk deploy {' '.join(stacks) or '--all'}") as progress:
            self.outputs |= self.cdk.deploy(*stacks, step=progress)

    def update(self) -> tuple[list[str], list[str]]:
        """Synthesize again, deploy the stacks that changed, and delete those that left the app.

        Returns:
            The ids of the changed stacks, and of the deleted stacks.

        Raises:
            SandboxError: Synthesis or a deployment failed, or the stack with the photos left the app.
            OperationError: A stack could not be deleted.
        """
        with step("cdk synth") as progress:
            self.cdk.synth(progress)
        self.emulator.check()
        assembly, name = Assembly(self.cdk.assembly), self.stack_name("").removesuffix("-")
        if "Thumbnails" not in assembly.stacks():
            raise SandboxError("Thumbnails, which holds the photos, left the app. To delete it, restart the sandbox.")
        existing = find_stacks(self.session, name)  # `make deploy` can have changed them.
        templates = deployed_templates(self.session, existing)
        first = replaced_consumer(existing, assembly)
        # A stack that could not be created has the template, too.
        rejected = {stack.id for stack in existing.values() if stack.status == "ROLLBACK_COMPLETE"}
        # The hashes of assets are part of a template, so it also differs if code or an image changed.
        changed = [
            stack
            for stack, template in assembly.templates().items()
            if template != templates.get(stack) or stack in first | rejected
        ]
        deleted = existing.keys() - assembly.stacks().keys()
        before = self._before = self._before or existing
        with deletions_around_deployment(self.session, existing, templates, first=first, removed=deleted - first):
            if changed:
                with step(f"cdk deploy {' '.join(changed)}") as progress:
                    self.cdk.deploy(*changed, exclusively=True, step=progress)
        after = find_stacks(self.session, name)
        if stale := stale_stacks(templates, before, after):
            print(f"  {stale_message(stale, name, sandbox=True)}")
        else:
            self._before = None
        self.outputs = {stack.id: dict(stack.outputs) for stack in after.values()}
        return changed, sorted(deleted)

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
