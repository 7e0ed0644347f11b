"""Checks of the account and its Region: credentials, bootstrap, stacks, services, and account plan."""

import os
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.credentials import RefreshableCredentials
from botocore.exceptions import ClientError

from operations.deployed_stacks import find_stacks
from operations.preflight.checks import GLOBAL_REGION, Check, Deployment, Finding, NotCheckedError

# A first deployment takes about 15 minutes, and a rollback as long again.
_DEPLOYMENT = timedelta(minutes=30)

_BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"

# Parameter Store lists the Regions of AWS and their services ("Calling public parameters for AWS services, Regions, …"
# in the Systems Manager guide).
_REGION_PARAMETER = "/aws/service/global-infrastructure/regions/{}"

# Services that some Regions lack, by the namespace of their resources.
_REGIONAL_SERVICES = {"AWS::Batch": "batch", "AWS::CodeBuild": "codebuild", "AWS::Lightsail": "lightsail"}

# The VPC uses the first zones of the Region (`stacks/network.py`). Which ones they are differs between accounts.
_VPC_ZONES = 2

_COMPLETE = re.compile("(CREATE|UPDATE|UPDATE_ROLLBACK|IMPORT|IMPORT_ROLLBACK)_COMPLETE")
_STACK_REMEDIES = {
    "UPDATE_FAILED": "Run: aws cloudformation rollback-stack --stack-name {}",
    "UPDATE_ROLLBACK_FAILED": "Run: aws cloudformation continue-update-rollback --stack-name {}",
}
_DELETE_STACK = "Run: aws cloudformation delete-stack --stack-name {}"


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
    # Not the others, so that another expiry can be deployed while the function of the expiry deletes them.
    stacks, changed = find_stacks(deployment.session, deployment.name), deployment.stacks | deployment.deleted
    statuses = {stack.id: stack.status for stack in stacks.values() if stack.id in changed}
    incomplete = {
        stack: status
        for stack, status in sorted(statuses.items())
        if not _COMPLETE.fullmatch(status) and (stack not in deployment.deleted or _is_in_progress(status))
    }
    if not incomplete:
        return Finding(f"{len(statuses)} of {deployment.name}, all complete" if statuses else "none")
    remedies = []
    for stack, status in incomplete.items():
        in_progress = "Wait until the operation on {} ends"
        remedy = in_progress if _is_in_progress(status) else _STACK_REMEDIES.get(status, _DELETE_STACK)
        remedies.append(remedy.format(f"{deployment.name}-{stack}"))
    found = ", ".join(f"{deployment.name}-{stack} is {status}" for stack, status in incomplete.items())
    return Finding(found, "complete stacks", "; ".join(remedies))


def _is_in_progress(status: str) -> bool:
    return status.endswith("_IN_PROGRESS") and status != "REVIEW_IN_PROGRESS"


def _region(deployment: Deployment) -> Finding | None:
    region = _REGION_PARAMETER.format(deployment.account.region)
    users = {namespace: deployment.capacity.stacks_with(namespace) for namespace in _REGIONAL_SERVICES}
    names = {namespace: f"{region}/services/{_REGIONAL_SERVICES[namespace]}" for namespace in users if users[namespace]}
    if not names:
        return None
    ssm = deployment.client("ssm", GLOBAL_REGION)
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
    if not types:
        return None
    ec2, capacity = deployment.client("ec2"), deployment.capacity
    filters: Any = [{"Name": "zone-type", "Values": ["availability-zone"]}, {"Name": "state", "Values": ["available"]}]
    zones = ec2.describe_availability_zones(Filters=filters)["AvailabilityZones"]
    names = sorted(zone["ZoneName"] for zone in zones)[:_VPC_ZONES]
    filters = [{"Name": "location", "Values": names}, {"Name": "instance-type", "Values": [*types]}]
    offerings = ec2.describe_instance_type_offerings(LocationType="availability-zone", Filters=filters)
    offered = {offering["InstanceType"] for offering in offerings["InstanceTypeOfferings"]}
    # Both Auto Scaling and Batch use the zones that have a type, and Batch needs only one of its types.
    missing = {name for name, _ in capacity.instances()} - offered
    users = capacity.stacks_with("AWS::AutoScaling") if missing else set()
    if capacity.batch_instance_types() and capacity.batch_instance_types().isdisjoint(offered):
        missing |= capacity.batch_instance_types()
        users |= capacity.stacks_with("AWS::Batch")
    if not missing:
        return Finding(f"{', '.join(types)} exist in {', '.join(names)}")
    return Finding(
        f"no {', '.join(sorted(missing))} in {', '.join(names)}",
        "at least one zone",
        f"Choose another Region, for example: export AWS_REGION=us-east-1{deployment.without(users)}",
    )


def _account_plan(deployment: Deployment) -> Finding | None:
    """Check that EC2 accepts the instance types. On the Free plan, EC2 accepts only types eligible for the free tier.

    See "Track your Free Tier usage" in the EC2 guide.
    """
    if not deployment.instance_types:
        return None
    plan = deployment.client("freetier", GLOBAL_REGION).get_account_plan_state()["accountPlanType"]
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
        f"--region {GLOBAL_REGION}{deployment.without(users)}",
    )


ACCOUNT_CHECKS = (
    Check("Credentials", (), _credentials),
    Check("CDK bootstrap", ("ssm:GetParameters",), _bootstrap),
    Check("Stacks", ("cloudformation:DescribeStacks",), _existing_stacks),
    Check("Region", ("ssm:GetParameters",), _region),
    Check(
        "EC2 instance types",
        ("ec2:DescribeAvailabilityZones", "ec2:DescribeInstanceTypeOfferings", "ec2:DescribeInstanceTypes"),
        _instance_types,
    ),
    Check("Account plan", ("freetier:GetAccountPlanState", "ec2:DescribeInstanceTypes"), _account_plan),
)
