"""Pitfalls of a REST API: each has broken a deployment, update, or destroy, or left something behind."""

import dataclasses
import json

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_batch as batch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template

from api.contract import REQUESTS, ROUTES, ErrorCode
from stacks.api import ApiStack
from stacks.constructs import contract_api, gateway_responses
from stacks.support.shared_resources import AlbumJobs, PhotoStorage
from tests.templates import Resources, of_type, only

pytestmark = pytest.mark.guarantee("Deploys the first time")


def test_api_needs_no_account_setting(api: Resources) -> None:
    """API Gateway has one logging role per account, which `cdk destroy` leaves behind (aws-cdk 22020, 26836)."""
    assert not any(resource["Type"] == "AWS::ApiGateway::Account" for resource in api.values())
    _, stage = only(api, "AWS::ApiGateway::Stage")
    # Either of these fails in an account without that role.
    assert not any("LoggingLevel" in setting for setting in stage["MethodSettings"])
    destination = stage["AccessLogSetting"]["DestinationArn"]["Fn::GetAtt"][0]
    assert api[destination]["Type"] == "AWS::KinesisFirehose::DeliveryStream"


def test_log_stream_is_complete_and_deleted_before_its_bucket_is_emptied(api: Resources) -> None:
    """API Gateway requires the prefix. Firehose rejects one buffering hint without the other (Firehose API). A late
    line would refill the bucket, which then cannot be deleted (aws-solutions-constructs 394)."""
    (stream,) = of_type(api, "AWS::KinesisFirehose::DeliveryStream").values()
    assert stream["Properties"]["DeliveryStreamName"].startswith("amazon-apigateway-")
    hints = stream["Properties"]["ExtendedS3DestinationConfiguration"]["BufferingHints"]
    assert hints.keys() == {"IntervalInSeconds", "SizeInMBs"}
    auto_delete, _ = only(api, "Custom::S3AutoDeleteObjects")
    policies = of_type(api, "AWS::IAM::Policy")
    (policy,) = [name for name, found in policies.items() if "s3:AbortMultipartUpload" in json.dumps(found)]
    assert {auto_delete, policy} <= set(stream["DependsOn"])


def test_usage_plan_is_deleted_before_its_stage(api: Resources) -> None:
    """A stage in a usage plan cannot be deleted. The reference makes CloudFormation delete the plan first."""
    _, plan = only(api, "AWS::ApiGateway::UsagePlan")
    stage, _ = only(api, "AWS::ApiGateway::Stage")
    assert [entry["Stage"] for entry in plan["ApiStages"]] == [{"Ref": stage}]


def test_deployment_depends_on_everything_it_contains(api: Resources) -> None:
    """A deployment omits resources that are created later: "The REST API doesn't contain any methods"."""
    (deployment,) = of_type(api, "AWS::ApiGateway::Deployment").values()
    for kind in ("Method", "Model", "RequestValidator", "GatewayResponse"):
        assert of_type(api, f"AWS::ApiGateway::{kind}").keys() <= set(deployment["DependsOn"]), kind


def test_function_has_one_permission_for_the_whole_api(api: Resources) -> None:
    """One permission for each method would exceed the maximum size of the function's policy (aws-cdk 9327)."""
    _, permission = only(api, "AWS::Lambda::Permission")
    rest_api, _ = only(api, "AWS::ApiGateway::RestApi")
    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert {"Ref": rest_api} in permission["SourceArn"]["Fn::Join"][1]


def test_function_times_out_before_api_gateway(api: Resources) -> None:
    """API Gateway times out after 29 s, but the function would continue to run."""
    _, function = only(api, "AWS::Lambda::Function", Handler="api.handler.handler")
    assert function["Timeout"] < 29


def test_model_names_are_alphanumeric_as_api_gateway_requires(api: Resources) -> None:
    for model in of_type(api, "AWS::ApiGateway::Model").values():
        assert model["Properties"]["Name"].isalnum()


# API Gateway serves what its latest deployment contains, and the CDK has missed changes (aws-cdk 5354, 8024).


def _deployment(allowed_cidr: str | None = None) -> str:
    """The logical id of the deployment in an API stack. A new id is a new deployment."""
    app = App()
    other = Stack(app, "Other")
    queue = batch.JobQueue.from_job_queue_arn(other, "Queue", "arn:aws:batch:us-east-1:1:job-queue/q")
    job = batch.EcsJobDefinition.from_job_definition_arn(other, "Job", "arn:aws:batch:us-east-1:1:job-definition/j:1")
    stack = ApiStack(
        app,
        "Api",
        storage=PhotoStorage(
            originals=s3.Bucket(other, "Originals"),
            thumbnails=s3.Bucket(other, "Thumbnails"),
            catalogue=dynamodb.Table.from_table_name(other, "Catalogue", "catalogue"),
        ),
        album_jobs=AlbumJobs(page_queue=queue, page_job=job, bind_queue=queue, bind_job=job),
        target="aws",
        allowed_cidr=allowed_cidr,
    )
    name, _ = only(Template.from_stack(stack).to_json()["Resources"], "AWS::ApiGateway::Deployment")
    return name


@pytest.mark.parametrize("change", ["source address", "model", "API key", "gateway response"])
def test_api_is_redeployed_only_after_a_change(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    unchanged = _deployment()
    assert _deployment() == unchanged
    match change:
        case "model":
            monkeypatch.setattr(contract_api, "REQUESTS", {**REQUESTS, "NewAlbum": {"type": "object"}})
        case "API key":
            route = dataclasses.replace(ROUTES[-1], needs_key=not ROUTES[-1].needs_key)
            monkeypatch.setattr(contract_api, "ROUTES", (*ROUTES[:-1], route))
        case "gateway response":
            error = (ErrorCode.FORBIDDEN, "Another message.")
            monkeypatch.setitem(gateway_responses._ERRORS, next(iter(gateway_responses._ERRORS)), error)
    assert _deployment("203.0.113.7/32" if change == "source address" else None) != unchanged
