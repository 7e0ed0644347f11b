"""The Batch stack: what its template promises."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk.assertions import Match, Template


@pytest.fixture(scope="module")
def batch(template: Callable[[str], Template]) -> Template:
    return template("Batch")


def _properties(batch: Template, kind: str, name: str) -> dict[str, Any]:
    (found,) = [
        resource["Properties"]
        for logical_id, resource in batch.find_resources(f"AWS::Batch::{kind}").items()
        if logical_id.startswith(name)
    ]
    return found  # type: ignore[no-any-return]


def _allowed(batch: Template, role: str) -> dict[str, list[str]]:
    """What a role may do: by action, the ends of the ARNs."""
    allowed: dict[str, list[str]] = {}
    for name, policy in batch.find_resources("AWS::IAM::Policy").items():
        if name.startswith(role):
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                one_or_more = statement["Resource"]
                resources = one_or_more if isinstance(one_or_more, list) else [one_or_more]
                ends = [resource["Fn::Join"][1][-1] if "Fn::Join" in resource else "" for resource in resources]
                for action in actions:
                    allowed.setdefault(action, []).extend(ends)
    return allowed


def test_outputs_of_the_contract(batch: Template) -> None:
    outputs = batch.to_json()["Outputs"]
    assert {"JobQueue", "AlbumJobDefinition"} <= set(outputs)
    queue = outputs["JobQueue"]["Value"]["Fn::GetAtt"][0]
    assert queue.startswith("Queue"), "the one with EC2 hosts, as the page's definition needs"


def test_one_image_runs_on_ec2_and_on_fargate(batch: Template) -> None:
    page, bind = (_properties(batch, "JobDefinition", name) for name in ("Page", "Bind"))
    assert (page["PlatformCapabilities"], bind["PlatformCapabilities"]) == (["EC2"], ["FARGATE"])
    assert page["ContainerProperties"]["Image"] == bind["ContainerProperties"]["Image"]


@pytest.mark.guarantee("Cheap when idle")
def test_spot_first_and_on_demand_behind_it(batch: Template) -> None:
    order = _properties(batch, "JobQueue", "Queue")["ComputeEnvironmentOrder"]
    kinds = [
        batch.to_json()["Resources"][entry["ComputeEnvironment"]["Fn::GetAtt"][0]]["Properties"]["ComputeResources"]
        for entry in sorted(order, key=lambda entry: entry["Order"])
    ]
    assert [kind["Type"] for kind in kinds] == ["SPOT", "EC2"]
    assert all(kind["MinvCpus"] == 0 and "DesiredvCpus" not in kind for kind in kinds), "nothing runs while idle"


def test_fargate_has_a_queue_of_its_own(batch: Template) -> None:
    (entry,) = _properties(batch, "JobQueue", "FargateQueue")["ComputeEnvironmentOrder"]
    environment = batch.to_json()["Resources"][entry["ComputeEnvironment"]["Fn::GetAtt"][0]]["Properties"]
    assert environment["ComputeResources"]["Type"] == "FARGATE"


def test_all_hosts_have_the_processor_of_the_image(batch: Template) -> None:
    for environment in batch.find_resources("AWS::Batch::ComputeEnvironment").values():
        types = environment["Properties"]["ComputeResources"].get("InstanceTypes", [])
        assert all(name.partition(".")[0].endswith("g") for name in types), "Graviton"
    platform = _properties(batch, "JobDefinition", "Bind")["ContainerProperties"]["RuntimePlatform"]
    assert platform == {"CpuArchitecture": "ARM64", "OperatingSystemFamily": "LINUX"}


def test_no_job_waits_for_ever(batch: Template) -> None:
    batch.all_resources_properties("AWS::Batch::JobDefinition", {"Timeout": {"AttemptDurationSeconds": 600}})
    batch.all_resources_properties(
        "AWS::Batch::JobQueue",
        {"JobStateTimeLimitActions": [Match.object_like({"Action": "CANCEL", "State": "RUNNABLE"})]},
    )


def test_only_a_reclaimed_host_is_worth_another_try(batch: Template) -> None:
    batch.all_resources_properties(
        "AWS::Batch::JobDefinition",
        {
            "RetryStrategy": {
                "Attempts": 5,
                "EvaluateOnExit": [
                    {"Action": "RETRY", "OnStatusReason": "Host EC2*"},
                    {"Action": "EXIT", "OnReason": "*"},
                ],
            }
        },
    )


def test_hosts_give_metadata_only_for_a_token_and_not_beyond_themselves(batch: Template) -> None:
    batch.has_resource_properties(
        "AWS::EC2::LaunchTemplate",
        {
            "LaunchTemplateData": {
                "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
                "BlockDeviceMappings": [{"Ebs": {"Encrypted": True}}],
            }
        },
    )


def test_nothing_comes_in(batch: Template) -> None:
    for group in batch.find_resources("AWS::EC2::SecurityGroup").values():
        assert "SecurityGroupIngress" not in group["Properties"]
    batch.resource_count_is("AWS::EC2::SecurityGroupIngress", 0)


def test_each_job_may_do_what_it_does_and_no_more(batch: Template) -> None:
    assert _allowed(batch, "PageRole") == {
        "s3:GetObject": ["/*/*.webp", "/albums/*/manifest.json"],
        "s3:PutObject": ["/albums/*/pages/*"],
        "s3:ListBucket": [""],
        "dynamodb:GetItem": [""],
    }
    assert _allowed(batch, "BindRole") == {
        "s3:GetObject": ["/albums/*/manifest.json", "/albums/*/pages/*"],
        "s3:PutObject": ["/albums/*/album.pdf"],
        "s3:ListBucket": [""],
    }


def test_jobs_log_to_the_group_of_the_stack(batch: Template) -> None:
    (group,) = batch.find_resources("AWS::Logs::LogGroup")
    for definition in batch.find_resources("AWS::Batch::JobDefinition").values():
        options = definition["Properties"]["ContainerProperties"]["LogConfiguration"]["Options"]
        assert options["awslogs-group"] == {"Ref": group}
