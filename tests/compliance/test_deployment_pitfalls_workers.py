"""Pitfalls of ECS workers for a queue: each breaks a deployment or a destroy, exceeds a quota, or delays photos."""

import json
from pathlib import Path

import pytest

from tests.compliance.replacements import references
from tests.templates import Resource, Resources, as_list, of_type, only, read_resources, read_template, statements

pytestmark = [
    pytest.mark.guarantee("Deploys the first time"),
    pytest.mark.parametrize("assembly", ["fargate", "ec2"], indirect=True),
]

# vCPUs that a new account can run on Fargate Spot, and On-Demand on EC2.
_FARGATE_SPOT_QUOTA = 6
_ON_DEMAND_QUOTA = 5

# MiB of a c7g.medium that are left for tasks, with a margin for the operating system and the ECS agent.
_MEMORY_OF_INSTANCE = 1750

# Seconds from SIGTERM to SIGKILL: the maximum of Fargate.
_STOP_TIMEOUT = 120

# EventBridge Scheduler rejects API actions with these prefixes ("Using universal targets" in its guide).
_READ_ONLY = ("get", "describe", "list", "poll", "receive", "search", "scan", "query", "select", "read", "lookup")


def _service(workers: Resources) -> Resource:
    (service,) = of_type(workers, "AWS::ECS::Service").values()
    return service


def _container(workers: Resources) -> Resource:
    _, task = only(workers, "AWS::ECS::TaskDefinition")
    (container,) = task["ContainerDefinitions"]
    return dict(container)


def test_number_of_tasks_belongs_to_the_scaling_policies(workers: Resources) -> None:
    """A desired count in the template would undo the scaling at each update ("DesiredCount" in the reference of
    AWS::ECS::Service). Without one, the first deployment starts a task, which shows that the image runs."""
    assert "DesiredCount" not in _service(workers)["Properties"]


def test_availability_zone_rebalancing_is_disabled(workers: Resources) -> None:
    """It is enabled by default and needs a maximum above 100 % ("AvailabilityZoneRebalancing" in the API reference)."""
    properties = _service(workers)["Properties"]
    assert properties["DeploymentConfiguration"]["MaximumPercent"] == 100
    assert properties["AvailabilityZoneRebalancing"] == "DISABLED"


def test_deployment_that_fails_to_start_is_rolled_back(workers: Resources) -> None:
    """Without a circuit breaker, it hangs for hours (aws-cdk 1498)."""
    configuration = _service(workers)["Properties"]["DeploymentConfiguration"]
    assert configuration["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}


def test_service_starts_after_and_is_deleted_before_the_policies_of_its_roles(workers: Resources) -> None:
    """The first task could not pull its image, and the last one could not return its messages."""
    _, task = only(workers, "AWS::ECS::TaskDefinition")
    roles = {task[role]["Fn::GetAtt"][0] for role in ("TaskRoleArn", "ExecutionRoleArn")}
    policies = {
        name
        for name, policy in of_type(workers, "AWS::IAM::Policy").items()
        if {it["Ref"] for it in policy["Properties"]["Roles"]} & roles
    }
    assert len(policies) == 2
    assert policies <= set(_service(workers)["DependsOn"])


def test_tasks_reach_the_registry_and_the_queue_without_a_nat_gateway(workers: Resources) -> None:
    """A task on Fargate needs a public address of its own. On EC2, a task with its own network interface cannot have
    one (ECS guide), so it uses the network of its instance."""
    _, task = only(workers, "AWS::ECS::TaskDefinition")
    if task["RequiresCompatibilities"] == ["FARGATE"]:
        network = _service(workers)["Properties"]["NetworkConfiguration"]["AwsvpcConfiguration"]
        assert network["AssignPublicIp"] == "ENABLED"
    else:
        assert task["NetworkMode"] == "bridge"


def test_tasks_have_a_region(workers: Resources) -> None:
    """ECS agents on EC2 set no region before April 2026 (amazon-ecs-agent 3106), and boto3 needs one."""
    variables = {entry["Name"]: entry["Value"] for entry in _container(workers)["Environment"]}
    assert variables["AWS_DEFAULT_REGION"] == {"Ref": "AWS::Region"}


def test_tasks_run_on_graviton(workers: Resources, ecs: Resources) -> None:
    """An image for one CPU architecture does not start on another: "exec format error"."""
    _, task = only(workers, "AWS::ECS::TaskDefinition")
    if task["RequiresCompatibilities"] == ["FARGATE"]:
        assert task["RuntimePlatform"]["CpuArchitecture"] == "ARM64"
    else:
        assert _instances(ecs)["InstanceType"].startswith("c7g.")


def test_stop_timeout_is_the_maximum(workers: Resources) -> None:
    """By default, ECS kills a task 30 seconds after SIGTERM."""
    assert _container(workers)["StopTimeout"] == _STOP_TIMEOUT


def test_tasks_fit_into_the_quotas_of_a_new_account(workers: Resources, ecs: Resources) -> None:
    """Also while the gallery and the workers are updated: two tasks or instances of the gallery for each one."""
    _, target = only(workers, "AWS::ApplicationAutoScaling::ScalableTarget")
    _, task = only(workers, "AWS::ECS::TaskDefinition")
    if task["RequiresCompatibilities"] == ["FARGATE"]:
        gallery = [it["Properties"] for it in of_type(ecs, "AWS::ECS::TaskDefinition").values()]
        (gallery_cpu,) = [int(it["Cpu"]) for it in gallery if it["RequiresCompatibilities"] == ["FARGATE"]]
        gallery_tasks = 3 * 2
        vcpus = (target["MaxCapacity"] * int(task["Cpu"]) + gallery_tasks * gallery_cpu) / 1024
        assert vcpus <= _FARGATE_SPOT_QUOTA
    else:
        gallery_vcpus = 2
        assert target["MaxCapacity"] * 1 + gallery_vcpus <= _ON_DEMAND_QUOTA


def _instances(ecs: Resources) -> Resource:
    """The launch template data of the instances for workers."""
    (template,) = [
        it for name, it in of_type(ecs, "AWS::EC2::LaunchTemplate").items() if name.startswith("WorkerHosts")
    ]
    return dict(template["Properties"]["LaunchTemplateData"])


@pytest.mark.guarantee("Cheap when idle")
def test_workers_cost_nothing_while_idle(workers: Resources, ecs: Resources) -> None:
    _, target = only(workers, "AWS::ApplicationAutoScaling::ScalableTarget")
    assert target["MinCapacity"] == 0
    groups = of_type(ecs, "AWS::AutoScaling::AutoScalingGroup").items()
    assert [it["Properties"]["MinSize"] for name, it in groups if name.startswith("WorkerHosts")] in ([], ["0"])


def test_worker_instances_exist_only_for_workers_on_ec2(workers: Resources, ecs: Resources) -> None:
    """A cluster cannot drop a capacity provider that a service uses, and each provider creates two alarms."""
    (strategy,) = _service(workers)["Properties"]["CapacityProviderStrategy"]
    providers = [name for name in of_type(ecs, "AWS::ECS::CapacityProvider") if name.startswith("WorkerHosts")]
    if strategy["CapacityProvider"] == "FARGATE_SPOT":
        assert providers == []
    else:
        assert len(providers) == 1 and providers[0] in strategy["CapacityProvider"]["Fn::GetStackOutput"]["OutputName"]


def test_each_worker_fits_on_an_instance_of_its_own(workers: Resources, ecs: Resources) -> None:
    """A task that fits on no instance stays pending, and two on one would share its CPU."""
    _, task = only(workers, "AWS::ECS::TaskDefinition")
    if task["RequiresCompatibilities"] == ["EC2"]:
        (container,) = task["ContainerDefinitions"]
        assert _MEMORY_OF_INSTANCE / 2 < container["Memory"] <= _MEMORY_OF_INSTANCE
        assert container["Cpu"] <= 1024
        _, target = only(workers, "AWS::ApplicationAutoScaling::ScalableTarget")
        groups = of_type(ecs, "AWS::AutoScaling::AutoScalingGroup").items()
        (group,) = [it["Properties"] for name, it in groups if name.startswith("WorkerHosts")]
        assert int(group["MaxSize"]) == target["MaxCapacity"]


def test_destroy_does_not_wait_for_the_termination_of_instances(ecs: Resources) -> None:
    """A managed termination delay makes `cdk destroy` hang (aws-cdk 14732, 18179): the lifecycle hook of managed
    draining stays until its timeout of an hour. The hook of the template is deleted before its group."""
    for provider in of_type(ecs, "AWS::ECS::CapacityProvider").values():
        managed = provider["Properties"]["AutoScalingGroupProvider"]
        assert (managed["ManagedTerminationProtection"], managed["ManagedDraining"]) == ("DISABLED", "DISABLED")
    hooks = [it["Properties"] for it in of_type(ecs, "AWS::AutoScaling::LifecycleHook").values()]
    groups = of_type(ecs, "AWS::AutoScaling::AutoScalingGroup")
    protections = {"NewInstancesProtectedFromScaleIn", "LifecycleHookSpecificationList"}
    assert not [name for name, group in groups.items() if protections & group["Properties"].keys()]
    assert {hook["AutoScalingGroupName"]["Ref"] for hook in hooks} == groups.keys()
    assert {hook["DefaultResult"] for hook in hooks} == {"CONTINUE"}
    # A terminating instance waits until its worker has stopped.
    assert all(_STOP_TIMEOUT < hook["HeartbeatTimeout"] <= 300 for hook in hooks)


def test_idle_queue_stays_active(workers: Resources) -> None:
    """After six hours without a call, SQS publishes no metrics, and then up to 15 minutes late ("Monitoring Amazon SQS
    queues using CloudWatch"): the first photo of a day would wait so long."""
    _, schedule = only(workers, "AWS::Scheduler::Schedule")
    assert (schedule["ScheduleExpression"], schedule["State"]) == ("rate(1 hour)", "ENABLED")
    action = schedule["Target"]["Arn"]["Fn::Join"][1][-1].rpartition(":sqs:")[2]
    assert action and not action.startswith(_READ_ONLY)
    (statement,) = statements(workers, schedule["Target"]["RoleArn"]["Fn::GetAtt"][0])
    assert [it.lower() for it in as_list(statement["Action"])] == [f"sqs:{action}".lower()]
    (url,) = [it["Value"] for it in _container(workers)["Environment"] if it["Name"] == "UPLOAD_QUEUE_URL"]
    assert url in schedule["Target"]["Input"]["Fn::Join"][1]


def test_service_keeps_its_name_when_the_stack_is_deployed_again(workers: Resources, assembly: Path) -> None:
    """`make deploy` deletes this stack when another compute makes thumbnails. The CDK CLI does not update a stack whose
    template is the same, so Guardrails keeps the names that it has ("Fn::GetStackOutput")."""
    assert isinstance(_service(workers)["Properties"]["ServiceName"], str)
    guardrails = json.dumps(read_resources(assembly, "Guardrails"))
    outputs = read_template(assembly, "Workers")["Outputs"].items()
    used = [output["Value"] for name, output in outputs if f'"{name}"' in guardrails]
    assert {workers[name]["Type"] for value in used for name in references(value)} == {"AWS::ECS::Service"}
