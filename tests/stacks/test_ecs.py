"""The Ecs stack: what its template promises."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Match, Template

from app import build

CIDR = "203.0.113.7/32"


@pytest.fixture(scope="module")
def ecs(template: Callable[[str], Template]) -> Template:
    return template("Ecs")


@pytest.fixture(scope="module")
def opened(context: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The same with the setting allowed_cidr."""
    folder = tmp_path_factory.mktemp("opened")
    build(App(context={**context, "allowed_cidr": CIDR}, outdir=str(folder))).synth()
    return Template.from_string((folder / "Ecs.template.json").read_text())


def test_output_of_the_contract(ecs: Template) -> None:
    assert "GalleryUrl" in ecs.to_json()["Outputs"]


def test_deployed_alone_it_brings_what_it_runs_on_and_the_api_of_its_page(assembly: Path) -> None:
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]

    def needed(stack: str) -> set[str]:
        direct = {name for name in artifacts[stack].get("dependencies", []) if not name.endswith(".assets")}
        return direct.union(*map(needed, direct))

    assert needed("Ecs") == {"Network", "Registry", "Api", "Batch", "Thumbnails"}


def test_the_load_balancer_asks_each_task_how_it_does(ecs: Template) -> None:
    groups = [it["Properties"] for it in ecs.find_resources("AWS::ElasticLoadBalancingV2::TargetGroup").values()]
    assert len(groups) == 2
    for group in groups:
        assert group["HealthCheckPath"] == "/health"
        assert group.get("HealthCheckPort", "traffic-port") == "traffic-port"


def test_without_a_setting_nobody_gets_in(ecs: Template) -> None:
    assert _ranges(ecs) == []


def test_with_the_setting_its_addresses_reach_the_load_balancer_and_nothing_else(opened: Template) -> None:
    assert _ranges(opened) == [("Visitors", CIDR, 80, 80)]


def _ranges(template: Template) -> list[tuple[str, str, int, int]]:
    """Whom security groups let in by address: group, addresses, ports."""
    inline = [
        (name, rule)
        for name, group in template.find_resources("AWS::EC2::SecurityGroup").items()
        for rule in group["Properties"].get("SecurityGroupIngress", [])
    ]
    apart = [
        (str(rule["Properties"]["GroupId"]), rule["Properties"])
        for rule in template.find_resources("AWS::EC2::SecurityGroupIngress").values()
    ]
    return [
        (name[:8], rule.get("CidrIp", rule.get("CidrIpv6")), rule["FromPort"], rule["ToPort"])
        for name, rule in inline + apart
        if "SourceSecurityGroupId" not in rule
    ]


def test_one_listener_shares_visitors_between_both_services(ecs: Template) -> None:
    (listener,) = ecs.find_resources("AWS::ElasticLoadBalancingV2::Listener").values()
    (action,) = listener["Properties"]["DefaultActions"]
    shares = {group["TargetGroupArn"]["Ref"]: group["Weight"] for group in action["ForwardConfig"]["TargetGroups"]}
    services = ecs.find_resources("AWS::ECS::Service").values()
    served = {
        balancer["TargetGroupArn"]["Ref"] for service in services for balancer in service["Properties"]["LoadBalancers"]
    }
    assert set(shares) == served and len(served) == 2
    assert set(shares.values()) == {1}


def test_both_services_run_the_same_image(ecs: Template) -> None:
    images = [
        json.dumps(task["Properties"]["ContainerDefinitions"][0]["Image"], sort_keys=True)
        for task in ecs.find_resources("AWS::ECS::TaskDefinition").values()
    ]
    assert len(images) == 2 and len(set(images)) == 1


def test_the_hosts_are_closed_and_their_disks_encrypted(ecs: Template) -> None:
    ecs.has_resource_properties(
        "AWS::EC2::LaunchTemplate",
        {
            "LaunchTemplateData": {
                "InstanceType": "t4g.micro",
                "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
                "BlockDeviceMappings": [Match.object_like({"Ebs": Match.object_like({"Encrypted": True})})],
                "KeyName": Match.absent(),
            }
        },
    )


def test_the_program_has_no_rights_and_the_hosts_only_those_of_the_agent(ecs: Template) -> None:
    for name, role in ecs.find_resources("AWS::IAM::Role").items():
        assert "ManagedPolicyArns" not in role["Properties"], name
    actions: dict[str, set[str]] = {}
    for policy in ecs.find_resources("AWS::IAM::Policy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            listed = statement["Action"]
            for role in policy["Properties"]["Roles"]:
                actions.setdefault(role["Ref"], set()).update([listed] if isinstance(listed, str) else listed)
    assert not [name for name in actions if "TaskRole" in name]
    (of_hosts,) = [found for name, found in actions.items() if name.startswith("Hosts")]
    assert {action.partition(":")[0] for action in of_hosts} == {"ecs"}
    assert not [action for action in of_hosts if action.endswith("*")]


@pytest.mark.parametrize("dimension", ["Fargate", "Ec2"])
def test_tasks_are_added_by_requests(ecs: Template, dimension: str) -> None:
    policies = ecs.find_resources("AWS::ApplicationAutoScaling::ScalingPolicy")
    (policy,) = [found for name, found in policies.items() if name.startswith(dimension)]
    configuration = policy["Properties"]["TargetTrackingScalingPolicyConfiguration"]
    assert configuration["PredefinedMetricSpecification"]["PredefinedMetricType"] == "ALBRequestCountPerTarget"
    assert f"To{dimension}" in json.dumps(configuration)
    (range_of_tasks,) = [
        found["Properties"]
        for name, found in ecs.find_resources("AWS::ApplicationAutoScaling::ScalableTarget").items()
        if name == policy["Properties"]["ScalingTargetId"]["Ref"]
    ]
    assert range_of_tasks["MinCapacity"] == 1 < range_of_tasks["MaxCapacity"]


@pytest.mark.parametrize("api_url", ["https://api.example", None])
def test_the_page_is_told_the_url_of_the_api_if_there_is_one(api_url: str | None) -> None:
    from aws_cdk import aws_ec2 as ec2
    from aws_cdk import aws_ecs

    from stacks.ecs import EcsStack
    from stacks.network import NetworkStack

    app = App()
    vpc: ec2.IVpc = NetworkStack(app, "Network").vpc
    stack = EcsStack(
        app,
        "Ecs",
        name="x",
        vpc=vpc,
        image=aws_ecs.ContainerImage.from_registry("gallery"),
        allowed_cidr=None,
        api_url=api_url,
    )
    tasks = Template.from_stack(stack).find_resources("AWS::ECS::TaskDefinition").values()
    told = [{"Name": "API_URL", "Value": api_url}] if api_url else None
    assert [task["Properties"]["ContainerDefinitions"][0].get("Environment") for task in tasks] == [told, told]
