"""The capacity that a first deployment needs, read from the templates of its stacks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from operations.cost.idle_charges import launch_template, running_tasks, scaling_limits

_Properties = Mapping[str, Any]


@dataclass(frozen=True)
class Capacity:
    """What the resources of some stacks need.

    Attributes:
        templates: The templates by stack id.
    """

    templates: Mapping[str, _Properties]

    def stacks_with(self, namespace: str) -> set[str]:
        """Return the ids of the stacks that have resources in a namespace, such as `AWS::Batch`."""
        return {
            stack
            for stack, template in self.templates.items()
            if any(resource["Type"].startswith(f"{namespace}::") for resource in template["Resources"].values())
        }

    def instances(self) -> list[tuple[str, int]]:
        """Return the instance type and the number of instances, at least 1, of each Auto Scaling group."""
        return [
            (launch_template(group, resources)["InstanceType"], max(1, int(group["MinSize"])))
            for _, group, resources in self._of_type("AWS::AutoScaling::AutoScalingGroup")
        ]

    def batch_instance_types(self) -> set[str]:
        """Return the instance types that Batch chooses from."""
        return {name for compute in self._batch_compute() for name in compute.get("InstanceTypes", [])}

    def runs_jobs_on(self, provider: str) -> bool:
        """Return whether Batch runs jobs on `EC2`, `SPOT`, `FARGATE`, or `FARGATE_SPOT`."""
        return any(compute["Type"] == provider for compute in self._batch_compute())

    def job_vcpus(self, platform: str) -> float:
        """Return the vCPUs of the largest job on the platform `EC2` or `FARGATE`."""
        vcpus = [
            float(requirement["Value"])
            for _, job, _ in self._of_type("AWS::Batch::JobDefinition")
            if platform in job["PlatformCapabilities"]
            for requirement in job["ContainerProperties"]["ResourceRequirements"]
            if requirement["Type"] == "VCPU"
        ]
        return max(vcpus, default=0)

    def fargate_vcpus(self, provider: str) -> float:
        """Return the vCPUs of the maximum of tasks of all services, and of one job, on `FARGATE` or `FARGATE_SPOT`."""
        services = sum(
            _max_tasks(name, service, resources) * _task_vcpus(service, resources)
            for name, service, resources in self._of_type("AWS::ECS::Service")
            if any(strategy["CapacityProvider"] == provider for strategy in service["CapacityProviderStrategy"])
        )
        return services + (self.job_vcpus("FARGATE") if self.runs_jobs_on(provider) else 0)

    def lambda_concurrency(self) -> int:
        """Return the sum of reserved concurrency, of the maximum of each event source, and 1 for other invocations."""
        functions = [function for _, function, _ in self._of_type("AWS::Lambda::Function")]
        reserved = sum(function.get("ReservedConcurrentExecutions", 0) for function in functions)
        event_sources = sum(
            source.get("ScalingConfig", {}).get("MaximumConcurrency", 1)
            for _, source, _ in self._of_type("AWS::Lambda::EventSourceMapping")
        )
        return int(reserved + event_sources) + bool(functions)

    def build_environments(self) -> set[tuple[str, str]]:
        """Return the environment type and compute type of the CodeBuild projects."""
        environments = [project["Environment"] for _, project, _ in self._of_type("AWS::CodeBuild::Project")]
        return {(environment["Type"], environment["ComputeType"]) for environment in environments}

    def load_balancers(self) -> int:
        """Return the number of Application Load Balancers."""
        return len(list(self._of_type("AWS::ElasticLoadBalancingV2::LoadBalancer")))

    def _batch_compute(self) -> list[_Properties]:
        return [
            environment["ComputeResources"] for _, environment, _ in self._of_type("AWS::Batch::ComputeEnvironment")
        ]

    def _of_type(self, resource_type: str) -> Iterator[tuple[str, _Properties, _Properties]]:
        """Yield the logical id, the properties, and all resources of the stack of each resource of a type."""
        for template in self.templates.values():
            for name, resource in template["Resources"].items():
                if resource["Type"] == resource_type:
                    yield name, resource.get("Properties", {}), template["Resources"]


def _max_tasks(name: str, service: _Properties, resources: _Properties) -> int:
    limits = scaling_limits(name, resources)
    return limits[1] if limits else max(1, running_tasks(name, service, resources))


def _task_vcpus(service: _Properties, resources: _Properties) -> float:
    return int(resources[service["TaskDefinition"]["Ref"]]["Properties"]["Cpu"]) / 1024
