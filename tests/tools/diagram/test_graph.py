"""The graph is what the templates contain."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from tools.diagram.graph import Arrow, Graph, read_graph


def _graph(folder: Path, *, needs: dict[str, list[str]] | None = None, **stacks: dict[str, Any]) -> Graph:
    """Read the graph of stacks with these resources: type and properties by logical id."""
    artifacts: dict[str, Any] = {"Tree": {"type": "cdk:tree"}}
    for stack, resources in stacks.items():
        template = {
            "Resources": {name: {"Type": type_, "Properties": values} for name, (type_, values) in resources.items()},
            "Outputs": {f"{name}Arn": {"Value": {"Fn::GetAtt": [name, "Arn"]}} for name in resources},
        }
        (folder / f"{stack}.template.json").write_text(json.dumps(template))
        artifacts[stack] = {
            "type": "aws:cloudformation:stack",
            "dependencies": [*(needs or {}).get(stack, []), f"{stack}.assets"],
            "properties": {"templateFile": f"{stack}.template.json", "stackName": f"prefix-{stack}"},
        }
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
    return read_graph(folder)


def _get_att(name: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, "Arn"]}


def _get_stack_output(stack: str, name: str) -> dict[str, Any]:
    return {"Fn::GetStackOutput": {"StackName": f"prefix-{stack}", "OutputName": f"{name}Arn"}}


def _function_with_role(function: str, *statements: tuple[str | list[str], Any]) -> dict[str, Any]:
    allowed = [{"Action": actions, "Resource": resource} for actions, resource in statements]
    return {
        function: ("AWS::Lambda::Function", {"Role": _get_att("Role")}),
        "Role": ("AWS::IAM::Role", {}),
        "Policy": ("AWS::IAM::Policy", {"Roles": [{"Ref": "Role"}], "PolicyDocument": {"Statement": allowed}}),
    }


def test_event_source_mapping_leads_from_queue_to_function(tmp_path: Path) -> None:
    mapping = {"EventSourceArn": _get_att("Queue"), "FunctionName": {"Ref": "Code"}}
    graph = _graph(
        tmp_path,
        Jobs={
            "Queue": ("AWS::SQS::Queue", {}),
            "Mapping": ("AWS::Lambda::EventSourceMapping", mapping),
            **_function_with_role("Code", (["sqs:ReceiveMessage", "sqs:DeleteMessage"], _get_att("Queue"))),
        },
    )
    assert graph.arrows == [Arrow("Jobs/Queue", "Jobs/Code")]
    assert sorted(graph.boxes) == ["Jobs/Code", "Jobs/Queue"]


def test_permission_leads_to_job_definition_by_name(tmp_path: Path) -> None:
    page = {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":batch:r:1:job-definition/copy-page"]]}
    graph = _graph(
        tmp_path,
        Batch={"Page": ("AWS::Batch::JobDefinition", {"JobDefinitionName": "copy-page"})},
        Api=_function_with_role("Code", ("batch:SubmitJob", page)),
    )
    assert graph.arrows == [Arrow("Api/Code", "Batch/Page")]


def test_permissions_lead_to_other_stacks_and_separate_reading_from_writing(tmp_path: Path) -> None:
    anything = {"Fn::Join": ["", [_get_stack_output("Store", "Bucket"), "/*"]]}
    graph = _graph(
        tmp_path,
        Store={"Bucket": ("AWS::S3::Bucket", {}), "Table": ("AWS::DynamoDB::Table", {})},
        Jobs=_function_with_role(
            "Code",
            (["s3:GetObject", "s3:ListBucket"], anything),
            ("dynamodb:GetItem", _get_stack_output("Store", "Table")),
            ("dynamodb:PutItem", _get_stack_output("Store", "Table")),
            ("xray:PutTraceSegments", "*"),
        ),
        needs={"Jobs": ["Store"]},
    )
    assert graph.arrows == [
        Arrow("Jobs/Code", "Store/Bucket", reads=True),
        Arrow("Jobs/Code", "Store/Table", reads=False),
    ]
    assert graph.needs == {"Store": [], "Jobs": ["Store"]}


def test_load_balancer_leads_to_services_of_its_target_groups(tmp_path: Path) -> None:
    listener = {"LoadBalancerArn": {"Ref": "Balancer"}, "DefaultActions": [{"TargetGroupArn": {"Ref": "Group"}}]}
    service = {
        "LoadBalancers": [{"TargetGroupArn": {"Ref": "Group"}}],
        "CapacityProviderStrategy": [{"CapacityProvider": {"Ref": "Provider"}}],
    }
    graph = _graph(
        tmp_path,
        Web={
            "Balancer": ("AWS::ElasticLoadBalancingV2::LoadBalancer", {}),
            "Listener": ("AWS::ElasticLoadBalancingV2::Listener", listener),
            "Group": ("AWS::ElasticLoadBalancingV2::TargetGroup", {}),
            "Service": ("AWS::ECS::Service", service),
            "Provider": ("AWS::ECS::CapacityProvider", {"Group": {"Ref": "Hosts"}}),
            "Hosts": ("AWS::AutoScaling::AutoScalingGroup", {}),
        },
    )
    assert graph.arrows == [Arrow("Web/Balancer", "Web/Service"), Arrow("Web/Service", "Web/Hosts")]


def test_functions_of_the_cdk_are_left_out(tmp_path: Path) -> None:
    function: tuple[str, dict[str, Any]] = ("AWS::Lambda::Function", {})
    graph = _graph(tmp_path, Jobs={"CustomS3AutoDeleteHandler9D90184F": function, "Code76856677": function})
    assert list(graph.boxes) == ["Jobs/Code"]


def test_path_of_a_photo_is_in_the_graph(assembly: Path) -> None:
    arrows = read_graph(assembly).arrows
    path = ["Originals", "Uploads", "Function", "Catalogue"]
    for source, target in pairwise(path):
        assert Arrow(f"Thumbnails/{source}", f"Thumbnails/{target}") in arrows
    assert Arrow("Thumbnails/Function", "Thumbnails/Originals", reads=True) in arrows
    assert Arrow("Batch/Page", "Thumbnails/Catalogue", reads=True) in arrows
