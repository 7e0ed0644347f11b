"""Traps of deploying, changing or destroying a REST API: each broke it for others, or left something behind."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_batch as batch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template

from api.contract import REQUESTS, ROUTES, ErrorCode
from stacks import api
from stacks.constructs import contract_api, gateway_responses
from stacks.support.shared_resources import AlbumJobs, PhotoStorage

pytestmark = pytest.mark.guarantee("Deploys the first time")

_Resources = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def resources(template: Callable[[str], Template]) -> _Resources:
    found: _Resources = template("Api").to_json()["Resources"]
    return found


def _of_type(resources: _Resources, kind: str) -> _Resources:
    found = {name: resource for name, resource in resources.items() if resource["Type"] == f"AWS::{kind}"}
    assert found, kind
    return found


def _one(resources: _Resources, kind: str) -> tuple[str, dict[str, Any]]:
    (found,) = _of_type(resources, kind).items()
    return found


def test_no_setting_of_the_account_is_needed(resources: _Resources) -> None:
    """The role by which API Gateway logs is one for all stacks, and stays (aws-cdk 22020, 26836)."""
    assert not any(found["Type"] == "AWS::ApiGateway::Account" for found in resources.values())
    _, stage = _one(resources, "ApiGateway::Stage")
    # Either of these would fail the deployment in an account that has no such role.
    assert not any("LoggingLevel" in setting for setting in stage["Properties"]["MethodSettings"])
    destination = stage["Properties"]["AccessLogSetting"]["DestinationArn"]["Fn::GetAtt"][0]
    assert resources[destination]["Type"] == "AWS::KinesisFirehose::DeliveryStream"


def test_the_stream_has_the_beginning_of_name_that_api_gateway_asks_for(resources: _Resources) -> None:
    _, stream = _one(resources, "KinesisFirehose::DeliveryStream")
    assert stream["Properties"]["DeliveryStreamName"].startswith("amazon-apigateway-")


def test_the_stream_is_told_how_long_it_buffers_and_how_much(resources: _Resources) -> None:
    """One without the other is refused (Firehose API, "BufferingHints")."""
    _, stream = _one(resources, "KinesisFirehose::DeliveryStream")
    hints = stream["Properties"]["ExtendedS3DestinationConfiguration"]["BufferingHints"]
    assert hints.keys() == {"IntervalInSeconds", "SizeInMBs"}


def test_the_log_is_emptied_after_its_last_writer_is_gone(resources: _Resources) -> None:
    """A late line would refill the bucket, which then cannot be deleted (aws-solutions-constructs 394)."""
    _, stream = _one(resources, "KinesisFirehose::DeliveryStream")
    (emptying,) = [name for name, found in resources.items() if found["Type"] == "Custom::S3AutoDeleteObjects"]
    assert emptying in stream["DependsOn"]


def test_the_stream_waits_for_the_rights_of_its_role(resources: _Resources) -> None:
    _, stream = _one(resources, "KinesisFirehose::DeliveryStream")
    policies = _of_type(resources, "IAM::Policy")
    (policy,) = [name for name, found in policies.items() if "s3:AbortMultipartUpload" in json.dumps(found)]
    assert policy in stream["DependsOn"]


def test_the_usage_plan_goes_before_its_stage(resources: _Resources) -> None:
    """A stage that a plan names cannot be deleted: the reference makes CloudFormation keep to that order."""
    _, plan = _one(resources, "ApiGateway::UsagePlan")
    stage, _ = _one(resources, "ApiGateway::Stage")
    assert [named["Stage"] for named in plan["Properties"]["ApiStages"]] == [{"Ref": stage}]


def test_the_deployment_waits_for_all_that_it_is_a_picture_of(resources: _Resources) -> None:
    """What comes later is not in it: "The REST API doesn't contain any methods"."""
    _, deployment = _one(resources, "ApiGateway::Deployment")
    for kind in ("Method", "Model", "RequestValidator", "GatewayResponse"):
        assert _of_type(resources, f"ApiGateway::{kind}").keys() <= set(deployment["DependsOn"]), kind


def test_api_gateway_may_invoke_the_function_by_one_statement_for_this_api(resources: _Resources) -> None:
    """One for each method makes a policy of the function that in the end is too long (aws-cdk 9327)."""
    _, permission = _one(resources, "Lambda::Permission")
    gateway, _ = _one(resources, "ApiGateway::RestApi")
    assert permission["Properties"]["Principal"] == "apigateway.amazonaws.com"
    assert {"Ref": gateway} in permission["Properties"]["SourceArn"]["Fn::Join"][1]


def test_the_function_ends_before_api_gateway_stops_waiting(resources: _Resources) -> None:
    """After 29 s it answers by itself, and the function goes on for nobody."""
    functions = _of_type(resources, "Lambda::Function").values()
    (function,) = [found for found in functions if found["Properties"]["Handler"] == "api.handler.handler"]
    assert function["Properties"]["Timeout"] < 29


def test_models_are_named_as_api_gateway_allows(resources: _Resources) -> None:
    for model in _of_type(resources, "ApiGateway::Model").values():
        assert model["Properties"]["Name"].isalnum()


def _deployment(**changed: Any) -> str:
    """The logical id of the deployment of an API stack: a new one is a new deployment."""
    app = App()
    parts = Stack(app, "Parts")
    queue = batch.JobQueue.from_job_queue_arn(parts, "Queue", "arn:aws:batch:us-east-1:1:job-queue/q")
    job = batch.EcsJobDefinition.from_job_definition_arn(parts, "Job", "arn:aws:batch:us-east-1:1:job-definition/j:1")
    stack = api.ApiStack(
        app,
        "Api",
        storage=PhotoStorage(
            originals=s3.Bucket(parts, "Originals"),
            thumbnails=s3.Bucket(parts, "Thumbnails"),
            catalogue=dynamodb.Table.from_table_name(parts, "Catalogue", "catalogue"),
        ),
        album_jobs=AlbumJobs(page_queue=queue, page_job=job, bind_queue=queue, bind_job=job),
        target="aws",
        **{"allowed_cidr": None, **changed},
    )
    name, _ = _one(Template.from_stack(stack).to_json()["Resources"], "ApiGateway::Deployment")
    return name


# API Gateway serves what its last deployment saw, and the CDK has missed changes of it (aws-cdk 5354, 8024).


@pytest.fixture(scope="module")
def before() -> str:
    return _deployment()


def test_nothing_changed_is_not_deployed_again(before: str) -> None:
    assert _deployment() == before


def test_a_change_of_who_is_let_in_is_deployed(before: str) -> None:
    assert _deployment(allowed_cidr="203.0.113.7/32") != before


def test_a_changed_model_is_deployed(before: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract_api, "REQUESTS", {**REQUESTS, "NewAlbum": {"type": "object"}})
    assert _deployment() != before


def test_a_change_of_whether_a_key_is_needed_is_deployed(before: str, monkeypatch: pytest.MonkeyPatch) -> None:
    last = dataclasses.replace(ROUTES[-1], needs_key=not ROUTES[-1].needs_key)
    monkeypatch.setattr(contract_api, "ROUTES", (*ROUTES[:-1], last))
    assert _deployment() != before


def test_a_changed_error_is_deployed(before: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = next(iter(gateway_responses._ERRORS))
    monkeypatch.setitem(gateway_responses._ERRORS, kind, (ErrorCode.FORBIDDEN, "Other words."))
    assert _deployment() != before
