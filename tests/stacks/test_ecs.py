"""The Ecs stack: two services of one image behind one load balancer."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.stub_programs import write_programs
from tests.templates import Resources, of_type, only


def test_load_balancer_checks_the_health_of_each_task(ecs: Resources) -> None:
    for group in of_type(ecs, "AWS::ElasticLoadBalancingV2::TargetGroup").values():
        assert group["Properties"]["HealthCheckPath"] == "/health"
        assert group["Properties"].get("HealthCheckPort", "traffic-port") == "traffic-port"


@pytest.mark.parametrize("service", ["Fargate", "Ec2"])
def test_service_scales_with_the_requests_to_its_target_group(ecs: Resources, service: str) -> None:
    policies = of_type(ecs, "AWS::ApplicationAutoScaling::ScalingPolicy").items()
    (policy,) = [it["Properties"] for name, it in policies if name.startswith(service)]
    configuration = policy["TargetTrackingScalingPolicyConfiguration"]
    assert configuration["PredefinedMetricSpecification"]["PredefinedMetricType"] == "ALBRequestCountPerTarget"
    group, _ = only(ecs, "AWS::ElasticLoadBalancingV2::TargetGroup")
    assert group in json.dumps(configuration)
    target = ecs[policy["ScalingTargetId"]["Ref"]]["Properties"]
    assert target["MinCapacity"] == 1 < target["MaxCapacity"]


def test_tasks_of_both_services_are_targets_of_every_request(ecs: Resources) -> None:
    """With a target group for each service, a share of the requests would fail while one service has no task."""
    group, properties = only(ecs, "AWS::ElasticLoadBalancingV2::TargetGroup")
    _, listener = only(ecs, "AWS::ElasticLoadBalancingV2::Listener")
    assert listener["DefaultActions"] == [{"Type": "forward", "TargetGroupArn": {"Ref": group}}]
    assert properties["TargetType"] == "ip"
    services = of_type(ecs, "AWS::ECS::Service").values()
    assert len(services) == 2
    for service in services:
        assert [it["TargetGroupArn"] for it in service["Properties"]["LoadBalancers"]] == [{"Ref": group}]


def test_changed_instance_is_replaced_while_another_one_runs(ecs: Resources) -> None:
    """Without an update policy, a running instance would keep its AMI, type, and disk. The AMI is a parameter, so the
    template and with it the instance change only at a deployment."""
    ((_, group),) = of_type(ecs, "AWS::AutoScaling::AutoScalingGroup").items()
    update = group["UpdatePolicy"]["AutoScalingRollingUpdate"]
    assert update["MinInstancesInService"] == 1 < int(group["Properties"]["MaxSize"])
    assert "AlarmNotification" in update["SuspendProcesses"], "the capacity provider would remove the new instance"
    assert update["PauseTime"] == "PT3M", "until the new instance is registered with the cluster"
    name, template = only(ecs, "AWS::EC2::LaunchTemplate")
    assert group["Properties"]["LaunchTemplate"]["Version"] == {"Fn::GetAtt": [name, "LatestVersionNumber"]}
    assert template["LaunchTemplateData"]["ImageId"]["Ref"].startswith("SsmParameterValue")


@pytest.fixture
def user_data(ecs: Resources, tmp_path: Path) -> str:
    """The user data of an instance, with folders in `tmp_path`."""
    _, template = only(ecs, "AWS::EC2::LaunchTemplate")
    parts = template["LaunchTemplateData"]["UserData"]["Fn::Base64"]["Fn::Join"][1]
    script = "".join(part if isinstance(part, str) else "cluster" for part in parts)
    return script.replace("/etc/ecs", str(tmp_path)).replace("/usr/local/sbin", str(tmp_path))


_CURL = """
case "$*" in
*api/token*) echo token ;;
*target-lifecycle-state*) echo >> polls; [ $(wc -l < polls) -lt 3 ] && echo InService || echo Terminated ;;
*placement/region*) echo eu-west-1 ;;
*:51678/v1/metadata*) echo '{"Cluster":"cluster","ContainerInstanceArn":"arn:aws:ecs:instance","Version":"1"}' ;;
esac
"""


def test_terminating_instance_drains_its_tasks(user_data: str, tmp_path: Path) -> None:
    stubs = {
        "curl": _CURL,
        "dnf": "cp sleep aws",  # the AMI contains no AWS CLI
        "sleep": 'echo "$(basename $0) $*" >> calls',
        "systemd-run": 'for last in "$@"; do :; done; "$last"',
    }
    write_programs(tmp_path, stubs)
    environment = {"PATH": f"{tmp_path}{os.pathsep}/usr/bin:/bin"}
    subprocess.run(["bash", "-e", "-c", user_data], cwd=tmp_path, env=environment, check=True, timeout=60)
    *waits, drained = (tmp_path / "calls").read_text().splitlines()
    assert waits == ["sleep 5"] * 2
    assert drained == (
        "aws ecs update-container-instances-state --region eu-west-1 --cluster cluster "
        "--container-instances arn:aws:ecs:instance --status DRAINING"
    )


@pytest.mark.guarantee("Closed")
def test_containers_cannot_use_the_credentials_of_their_instance(user_data: str) -> None:
    """A task with its own network interface reaches the metadata service, whatever the hop limit ("awsvpc" in the ECS
    guide)."""
    assert "echo ECS_AWSVPC_BLOCK_IMDS=true >> " in user_data


def test_page_may_request_the_api_and_the_buckets_only(ecs: Resources) -> None:
    for task in of_type(ecs, "AWS::ECS::TaskDefinition").values():
        (container,) = task["Properties"]["ContainerDefinitions"]
        urls = {entry["Name"]: json.dumps(entry["Value"]) for entry in container["Environment"]}
        assert {"API_URL", "ORIGINALS_URL", "THUMBNAILS_URL"} <= set(urls)
        # A bucket's RegionalDomainName is the host of its presigned URLs: test_presigned_urls.py.
        assert "RegionalDomainName" in urls["ORIGINALS_URL"] and "RegionalDomainName" in urls["THUMBNAILS_URL"]
        assert urls["ORIGINALS_URL"] != urls["THUMBNAILS_URL"]


def test_both_services_run_the_same_image(ecs: Resources) -> None:
    tasks = of_type(ecs, "AWS::ECS::TaskDefinition").values()
    images = [
        json.dumps(container["Image"]) for task in tasks for container in task["Properties"]["ContainerDefinitions"]
    ]
    assert len(images) == 2
    assert len(set(images)) == 1
