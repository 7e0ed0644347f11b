"""What a preflight check is: the deployment that it examines, and the result that it returns."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

from operations.account import Account
from operations.capacity import Capacity
from operations.cdk import WORKERS, Assembly

GLOBAL_REGION = "us-east-1"  # the endpoint of services that have one endpoint


class NotCheckedError(RuntimeError):
    """An item cannot be checked. The message gives the reason."""


@dataclass(frozen=True)
class Finding:
    """The result of a check.

    Attributes:
        found: The value found.
        required: The value required.
        remedy: What to do. If None, the value found is sufficient.
    """

    found: str
    required: str = ""
    remedy: str | None = None


@dataclass(frozen=True)
class Deployment:
    """Stacks that will be deployed, and the account that will receive them.

    Attributes:
        name: The setting `name`.
        stacks: Ids of the stacks, including dependencies.
        deleted: Ids of existing stacks that the deployment deletes.
    """

    session: boto3.Session
    account: Account
    assembly: Assembly
    stacks: frozenset[str]
    name: str
    deleted: frozenset[str] = frozenset()

    @cached_property
    def capacity(self) -> Capacity:
        """The capacity that the stacks need."""
        templates = self.assembly.templates()
        return Capacity({stack: templates[stack] for stack in sorted(self.stacks)})

    @cached_property
    def instance_types(self) -> dict[str, Any]:
        """The description of each instance type that the stacks use."""
        names = sorted({name for name, _ in self.capacity.instances()} | self.capacity.batch_instance_types())
        types = self.client("ec2").describe_instance_types(InstanceTypes=names)["InstanceTypes"] if names else []
        return {it["InstanceType"]: it for it in types}

    @cached_property
    def service_quotas(self) -> Any:
        """A client of Service Quotas."""
        return self.client("service-quotas")

    def client(self, service: Any, region: str | None = None) -> Any:
        """Return a client that gives up within seconds."""
        config = Config(connect_timeout=5, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 2})
        return self.session.client(service, region_name=region or self.account.region, config=config)

    def vcpus(self, instance_type: str) -> int:
        """Return the number of vCPUs of an instance type that the stacks use."""
        return int(self.instance_types[instance_type]["VCpuInfo"]["DefaultVCpus"])

    def without(self, excluded: Collection[str]) -> str:
        """Return how to deploy the stacks that do not depend on some stacks, as the end of a remedy."""
        others = {it for it in self.stacks if self.assembly.with_dependencies({it}).isdisjoint(excluded)}
        # Without the workers, a function has to consume the upload queue.
        function = " thumbnails_on=lambda" if WORKERS in self.stacks - others else ""
        return f', or deploy only STACKS="{" ".join(sorted(others))}"{function}' if others else ""


@dataclass(frozen=True)
class Check:
    """A check of one item.

    Attributes:
        permissions: IAM actions that the check needs.
        run: Returns the result, or None if the stacks do not need the item. Raises NotCheckedError or an error of the
            AWS SDK if the item cannot be checked.
    """

    title: str
    permissions: tuple[str, ...]
    run: Callable[[Deployment], Finding | None]
