"""An AWS account with stubbed responses, because no emulator knows quotas or account plans."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
from botocore.model import OperationModel
from botocore.validate import validate_parameters

from operations.account import Account

ACCOUNT = Account("123456789012", "eu-central-1", "arn:aws:iam::123456789012:user/anna")
_VCPUS = {"micro": 2, "small": 2, "medium": 1, "large": 2}


class StubbedAccount:
    """An account that has enough of everything. The clients of its session send nothing.

    Attributes:
        session: A session for this account.
        actions: The IAM actions of the calls.
        errors: Error code, or exception, of an IAM action.
        missing: Ends of the names of missing parameters.
        quotas: Values by quota code.
        offered: Whether the zones of the VPC offer an instance type.
    """

    def __init__(self) -> None:
        self.session = boto3.Session(region_name=ACCOUNT.region)
        self.session.events.register("before-parameter-build", self._keep_parameters)
        self.session.events.register("before-call", self._respond)  # type: ignore[arg-type]  # may respond
        self.actions: list[str] = []
        self.errors: dict[str, str | Exception] = {}
        self.bootstrap_version = 6
        self.missing: tuple[str, ...] = ()
        self.plan = "PAID"
        self.free_types = {"t4g.micro", "t4g.small"}
        self.stacks: dict[str, str] = {}
        self.concurrency = 10
        self.quotas: dict[str, float] = {}
        self.offered: Callable[[str], bool] = lambda name: True

    def _keep_parameters(self, params: dict[str, Any], **_: Any) -> None:
        self._parameters = params

    def _respond(self, model: OperationModel, **_: Any) -> tuple[SimpleNamespace, dict[str, Any]]:
        action = f"{model.service_model.signing_name}:{model.name}"
        self.actions.append(action)
        error = self.errors.get(action)
        if isinstance(error, Exception):
            raise error
        if error:
            return SimpleNamespace(status_code=400), {"Error": {"Code": error, "Message": "first line\nsecond line"}}
        response: dict[str, Any] = getattr(self, f"_{model.name}")(**self._parameters)
        assert model.output_shape
        validate_parameters(response, model.output_shape)
        return SimpleNamespace(status_code=200), response

    def _GetCallerIdentity(self) -> dict[str, Any]:
        return {"Account": ACCOUNT.number, "Arn": ACCOUNT.caller}

    def _GetParameters(self, Names: list[str]) -> dict[str, Any]:
        missing = [name for name in Names if name.endswith(self.missing)]
        found = [{"Name": name, "Value": str(self.bootstrap_version)} for name in Names if name not in missing]
        return {"Parameters": found} | ({"InvalidParameters": missing} if missing else {})

    def _DescribeStacks(self) -> dict[str, Any]:
        now = datetime.now(UTC)
        return {
            "Stacks": [
                {
                    "StackName": name,
                    "StackId": f"arn:aws:cloudformation:eu-central-1:{ACCOUNT.number}:stack/{name}/id",
                    "StackStatus": status,
                    "CreationTime": now,
                    "Tags": [{"Key": "project", "Value": name.partition("-")[0]}],
                }
                for name, status in self.stacks.items()
            ]
        }

    def _DescribeInstanceTypes(self, InstanceTypes: list[str]) -> dict[str, Any]:
        return {
            "InstanceTypes": [
                {
                    "InstanceType": name,
                    "VCpuInfo": {"DefaultVCpus": _VCPUS[name.partition(".")[2]]},
                    "FreeTierEligible": name in self.free_types,
                }
                for name in InstanceTypes
            ]
        }

    def _DescribeAvailabilityZones(self, Filters: list[Any]) -> dict[str, Any]:
        return {"AvailabilityZones": [{"ZoneName": f"{ACCOUNT.region}{letter}"} for letter in "cab"]}

    def _DescribeInstanceTypeOfferings(self, LocationType: str, Filters: list[dict[str, Any]]) -> dict[str, Any]:
        values = {it["Name"]: it["Values"] for it in Filters}
        assert (LocationType, values["location"]) == ("availability-zone", [f"{ACCOUNT.region}{it}" for it in "ab"])
        return {"InstanceTypeOfferings": [{"InstanceType": it} for it in values["instance-type"] if self.offered(it)]}

    def _GetAccountPlanState(self) -> dict[str, Any]:
        return {"accountId": ACCOUNT.number, "accountPlanType": self.plan, "accountPlanStatus": "ACTIVE"}

    def _GetAccountSettings(self) -> dict[str, Any]:
        return {"AccountLimit": {"UnreservedConcurrentExecutions": self.concurrency}}

    def _GetServiceQuota(self, ServiceCode: str, QuotaCode: str) -> dict[str, Any]:
        return {"Quota": {"ServiceCode": ServiceCode, "Value": self.quotas.get(QuotaCode, 5.0)}}
