"""Checks of the service quotas that the stacks need. New accounts can have less than the published defaults."""

from collections.abc import Callable

from operations.preflight.checks import Check, Deployment, Finding, NotCheckedError

# CodeBuild has a quota for each environment type and compute type. To list the codes, run:
# aws service-quotas list-aws-default-service-quotas --service-code codebuild
_BUILD_QUOTAS = {
    ("ARM_CONTAINER", "BUILD_GENERAL1_SMALL"): "L-5ED1D25B",
    ("ARM_CONTAINER", "BUILD_GENERAL1_LARGE"): "L-596BEAB4",
}


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


QUOTA_CHECKS = (
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
