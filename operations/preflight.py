"""Checks an account for everything that can make a first deployment fail. Changes nothing."""

import os
import re
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import BotoCoreError, ClientError

from operations.account import Account, current_account
from operations.capacity import Capacity
from operations.cdk import Assembly, synthesize
from operations.deployed_stacks import find_stacks
from operations.errors import OperationError

# A first deployment takes about 15 minutes, and a rollback as long again.
_DEPLOYMENT = timedelta(minutes=30)

_BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"

# Parameter Store of this Region lists the Regions of AWS and their services ("Calling public parameters for AWS
# services, Regions, …" in the Systems Manager guide). The Free Tier API also has its endpoint in this Region.
_GLOBAL_REGION = "us-east-1"
_REGION_PARAMETER = "/aws/service/global-infrastructure/regions/{}"

# Services that some Regions lack, by the namespace of their resources.
_REGIONAL_SERVICES = {"AWS::Batch": "batch", "AWS::CodeBuild": "codebuild", "AWS::Lightsail": "lightsail"}

# CodeBuild has a quota for each environment type and compute type. To list the codes, run:
# aws service-quotas list-aws-default-service-quotas --service-code codebuild
_BUILD_QUOTAS = {
    ("ARM_CONTAINER", "BUILD_GENERAL1_SMALL"): "L-5ED1D25B",
    ("ARM_CONTAINER", "BUILD_GENERAL1_LARGE"): "L-596BEAB4",
}

_COMPLETE = re.compile("(CREATE|UPDATE|UPDATE_ROLLBACK|IMPORT|IMPORT_ROLLBACK)_COMPLETE")
_STACK_REMEDIES = {
    "UPDATE_FAILED": "Run: aws cloudformation rollback-stack --stack-name {}",
    "UPDATE_ROLLBACK_FAILED": "Run: aws cloudformation continue-update-rollback --stack-name {}",
}
_DELETE_STACK = "Run: aws cloudformation delete-stack --stack-name {}"


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
    """

    session: boto3.Session
    account: Account
    assembly: Assembly
    stacks: frozenset[str]
    name: str

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
        others = [it for it in self.stacks if self.assembly.with_dependencies({it}).isdisjoint(excluded)]
        return f', or deploy only STACKS="{" ".join(sorted(others))}"' if others else ""


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


def preflight(session: boto3.Session, settings: Mapping[str, str], stacks: Collection[str]) -> None:
    """Check the account for a deployment of stacks and their dependencies, or of all stacks.

    Args:
        session: Credentials and region.
        settings: Settings that override those in cdk.json, and `name`.
        stacks: Ids of the stacks; all if empty.

    Raises:
        OperationError: AWS rejects the credentials, or a check failed.
    """
    account = current_account(session)
    with tempfile.TemporaryDirectory(prefix="other-compute-") as folder:
        assembly = synthesize(Path(folder, "cdk.out"), settings)
        chosen = assembly.with_dependencies(set(stacks or assembly.stacks()))
        check(Deployment(session, account, assembly, frozenset(chosen), settings["name"]))


def check(deployment: Deployment) -> None:
    """Run all checks and print one line for each.

    Raises:
        OperationError: A check failed.
    """
    print(f"\nPreflight checks of {deployment.account}:")
    failed = [item.title for item in CHECKS if not _passes(item, deployment)]
    if failed:
        raise OperationError(
            f"Preflight failed: {', '.join(failed)}. Nothing was changed. Follow the lines marked ✗, then try again."
        )


def _passes(item: Check, deployment: Deployment) -> bool:
    """Run a check and print its result. An item that cannot be checked does not fail."""
    try:
        finding = item.run(deployment)
    except (NotCheckedError, BotoCoreError, ClientError) as error:
        print(f"  - {item.title}: not checked. {_reason(error, item.permissions)}")
        return True
    if finding is None:
        return True
    required = f" (required: {finding.required})" if finding.required else ""
    mark, remedy = ("✓", "") if finding.remedy is None else ("✗", f". {finding.remedy}")
    print(f"  {mark} {item.title}: {' '.join(finding.found.split())}{required}{remedy}")
    return finding.remedy is None


def _reason(error: Exception, permissions: Iterable[str]) -> str:
    """Return why an item cannot be checked, on one line."""
    text = str(error)
    if isinstance(error, ClientError):
        code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
        if re.search("AccessDenied|Unauthorized", code):
            return f"Required permission: {', '.join(permissions)}"
        text = f"{error.operation_name} returned {code} {message}"
    return " ".join(text.split())


def _credentials(deployment: Deployment) -> Finding:
    """Check that the credentials outlast a deployment. `current_account` has checked that AWS accepts them."""
    credentials: Any = deployment.session.get_credentials()
    if not credentials.token:
        return Finding(f"access key of {deployment.account.caller}, does not expire")
    # The only source that botocore reads an expiry from, but cannot renew.
    expiry = os.environ.get("AWS_CREDENTIAL_EXPIRATION", "")
    if credentials.method == "env" and expiry:
        expires = datetime.fromisoformat(expiry).astimezone(UTC)
        minutes = (expires - datetime.now(UTC)) // timedelta(minutes=1)
        found = f"session of {deployment.account.caller}, expires at {expires:%H:%M} UTC, in {minutes} minutes"
        required = f"{_DEPLOYMENT // timedelta(minutes=1)} minutes"
        remedy = "Sign in again, and export the new credentials" if expires - datetime.now(UTC) < _DEPLOYMENT else None
        return Finding(found, required, remedy)
    if not isinstance(credentials, RefreshableCredentials):
        raise NotCheckedError(
            f"The session of {deployment.account.caller} does not state its expiry. It must outlast the deployment"
        )
    return Finding(f"session of {deployment.account.caller}, renewed by the provider {credentials.method}")


def _bootstrap(deployment: Deployment) -> Finding:
    account, required = deployment.account, deployment.assembly.bootstrap_version()
    found = deployment.client("ssm").get_parameters(Names=[_BOOTSTRAP_PARAMETER])["Parameters"]
    version = int(found[0]["Value"]) if found else 0
    command = f"Run once: npx cdk bootstrap aws://{account.number}/{account.region}"
    return Finding(
        f"version {version}" if found else "none",
        f"version {required} or later",
        None if version >= required else command,
    )


def _existing_stacks(deployment: Deployment) -> Finding:
    stacks = find_stacks(deployment.session, deployment.name)
    statuses = {stack.id: stack.status for stack in stacks.values()}
    incomplete = {stack: status for stack, status in sorted(statuses.items()) if not _COMPLETE.fullmatch(status)}
    if not incomplete:
        return Finding(f"{len(statuses)} of {deployment.name}, all complete" if statuses else "none")
    remedies = []
    for stack, status in incomplete.items():
        stopped = not status.endswith("_IN_PROGRESS") or status == "REVIEW_IN_PROGRESS"
        remedy = _STACK_REMEDIES.get(status, _DELETE_STACK) if stopped else "Wait until the operation on {} ends"
        remedies.append(remedy.format(f"{deployment.name}-{stack}"))
    found = ", ".join(f"{deployment.name}-{stack} is {status}" for stack, status in incomplete.items())
    return Finding(found, "complete stacks", "; ".join(remedies))


def _region(deployment: Deployment) -> Finding | None:
    region = _REGION_PARAMETER.format(deployment.account.region)
    users = {namespace: deployment.capacity.stacks_with(namespace) for namespace in _REGIONAL_SERVICES}
    names = {namespace: f"{region}/services/{_REGIONAL_SERVICES[namespace]}" for namespace in users if users[namespace]}
    if not names:
        return None
    ssm = deployment.client("ssm", _GLOBAL_REGION)
    missing = set(ssm.get_parameters(Names=[region, *names.values()]).get("InvalidParameters", []))
    if region in missing:
        raise NotCheckedError(f"Parameter Store does not list the services of {deployment.account.region}")
    services = ", ".join(namespace.removeprefix("AWS::") for namespace in names)
    lacking = {namespace for namespace, name in names.items() if name in missing}
    if not lacking:
        return Finding(f"{deployment.account.region} has {services}")
    remedy = "Choose another Region, for example: export AWS_REGION=us-east-1"
    without = deployment.without({stack for namespace in lacking for stack in users[namespace]})
    absent = ", ".join(sorted(namespace.removeprefix("AWS::") for namespace in lacking))
    return Finding(f"{deployment.account.region} has no {absent}", services, remedy + without)


def _instance_types(deployment: Deployment) -> Finding | None:
    try:
        types = deployment.instance_types
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidInstanceType":
            raise
        remedy = "Choose another Region, for example: export AWS_REGION=us-east-1"
        return Finding(str(error.response["Error"]["Message"]), f"all types in {deployment.account.region}", remedy)
    return Finding(f"{', '.join(types)} exist in {deployment.account.region}") if types else None


def _account_plan(deployment: Deployment) -> Finding | None:
    """Check that EC2 accepts the instance types. On the Free plan, EC2 accepts only types eligible for the free tier.

    See "Track your Free Tier usage" in the EC2 guide.
    """
    if not deployment.instance_types:
        return None
    plan = deployment.client("freetier", _GLOBAL_REGION).get_account_plan_state()["accountPlanType"]
    capacity = deployment.capacity
    accepted = {name for name, it in deployment.instance_types.items() if it.get("FreeTierEligible")}
    rejected = {name for name, _ in capacity.instances()} - accepted
    users = capacity.stacks_with("AWS::AutoScaling") if rejected else set()
    if capacity.batch_instance_types().isdisjoint(accepted):  # Batch needs only one of its types.
        rejected |= capacity.batch_instance_types()
        users |= capacity.stacks_with("AWS::Batch")
    if plan != "FREE" or not rejected:
        return Finding(f"{plan} plan")
    return Finding(
        f"FREE plan, on which EC2 rejects {', '.join(sorted(rejected))}",
        "PAID plan",
        "Upgrade (ends the protection from charges): aws freetier upgrade-account-plan --account-plan-type PAID "
        f"--region {_GLOBAL_REGION}{deployment.without(users)}",
    )


def _lambda_concurrency(deployment: Deployment) -> Finding | None:
    required = deployment.capacity.lambda_concurrency()
    if not required:
        return None
    limit = deployment.client("lambda").get_account_settings()["AccountLimit"]
    return _compare(deployment, limit["UnreservedConcurrentExecutions"], required, "lambda", "L-B99A9384")


def _builds(deployment: Deployment) -> Finding | None:
    """Check that CodeBuild can run one build. It queues the others ("Builds in AWS CodeBuild" in its guide)."""
    for environment in sorted(deployment.capacity.build_environments()):
        if environment not in _BUILD_QUOTAS:
            raise NotCheckedError(f"No known quota for {' '.join(environment)}")
        finding = _quota(deployment, 1, "codebuild", _BUILD_QUOTAS[environment])
        if finding.remedy is not None:
            return finding
    return finding if deployment.capacity.build_environments() else None


def _on_demand_vcpus(deployment: Deployment) -> float:
    return sum(count * deployment.vcpus(name) for name, count in deployment.capacity.instances())


def _spot_vcpus(deployment: Deployment) -> float:
    """Return the vCPUs of the smallest instance that can run a job."""
    if not deployment.capacity.runs_jobs_on("SPOT"):
        return 0
    job = deployment.capacity.job_vcpus("EC2")
    sizes = map(deployment.vcpus, deployment.capacity.batch_instance_types())
    return min((size for size in sizes if size >= job), default=job)


def _quota_check(title: str, service: str, code: str, required: Callable[[Deployment], float]) -> Check:
    """Return a check of a quota of Service Quotas."""
    ec2 = ("ec2:DescribeInstanceTypes",) if service == "ec2" else ()

    def run(deployment: Deployment) -> Finding | None:
        needed = required(deployment)
        return _quota(deployment, needed, service, code) if needed else None

    return Check(title, ("servicequotas:GetServiceQuota", *ec2), run)


def _quota(deployment: Deployment, required: float, service: str, code: str) -> Finding:
    value = deployment.service_quotas.get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]["Value"]
    return _compare(deployment, value, required, service, code)


def _compare(deployment: Deployment, value: float, required: float, service: str, code: str) -> Finding:
    console = f"https://{deployment.account.region}.console.aws.amazon.com/servicequotas/home/services"
    remedy = None if value >= required else f"Request an increase: {console}/{service}/quotas/{code}"
    return Finding(f"{value:g}", f"{required:g}", remedy)


CHECKS = (
    Check("Credentials", (), _credentials),
    Check("CDK bootstrap", ("ssm:GetParameters",), _bootstrap),
    Check("Stacks", ("cloudformation:DescribeStacks",), _existing_stacks),
    Check("Region", ("ssm:GetParameters",), _region),
    Check("EC2 instance types", ("ec2:DescribeInstanceTypes",), _instance_types),
    Check("Account plan", ("freetier:GetAccountPlanState", "ec2:DescribeInstanceTypes"), _account_plan),
    _quota_check("EC2 On-Demand vCPUs", "ec2", "L-1216C47A", _on_demand_vcpus),
    _quota_check("EC2 Spot vCPUs", "ec2", "L-34B43A08", _spot_vcpus),
    _quota_check("Fargate On-Demand vCPUs", "fargate", "L-3032A538", lambda it: it.capacity.fargate_vcpus("FARGATE")),
    _quota_check("Fargate Spot vCPUs", "fargate", "L-36FBB829", lambda it: it.capacity.fargate_vcpus("FARGATE_SPOT")),
    _quota_check(
        "Application Load Balancers", "elasticloadbalancing", "L-53DA6B97", lambda it: it.capacity.load_balancers()
    ),
    Check("Lambda concurrency", ("lambda:GetAccountSettings",), _lambda_concurrency),
    Check("Concurrent CodeBuild builds", ("servicequotas:GetServiceQuota",), _builds),
)
