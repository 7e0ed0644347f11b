"""REST APIs in the emulator: what CloudFormation makes of a template, and what the API then answers and logs."""

import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import urllib3
from botocore.config import Config

from local.emulator import ACCOUNT, REGION, Emulator, running_emulator

_PROGRAM = """
def handler(event, context):
    if event["body"]:
        raise ValueError("the function's own words")
    return {"statusCode": 200, "body": "fine"}
"""


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with running_emulator() as emulator:
        yield emulator


def _client(emulator: Emulator, service: str) -> Any:
    return boto3.client(  # type: ignore[call-overload]  # the name is not known to the type checker
        service,
        endpoint_url=emulator.endpoint,
        region_name=REGION,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="local",
        config=Config(proxies={}),
    )


def _template(*, may_invoke: bool = True, validates: bool = True, **stage: Any) -> dict[str, Any]:
    """An API of one method, POST /, whose body must be an object."""
    api, function = {"Ref": "Api"}, {"Fn::GetAtt": ["Function", "Arn"]}
    of_api = {"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*/*/*"}
    resources: dict[str, tuple[str, dict[str, Any]]] = {
        "Role": (
            "IAM::Role",
            {
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Action": "sts:AssumeRole",
                            "Principal": {"Service": "lambda.amazonaws.com"},
                        }
                    ],
                }
            },
        ),
        "Function": (
            "Lambda::Function",
            {
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Code": {"ZipFile": _PROGRAM},
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            },
        ),
        "Api": ("ApiGateway::RestApi", {"Name": "test"}),
        "Model": (
            "ApiGateway::Model",
            {"RestApiId": api, "Name": "Body", "ContentType": "application/json", "Schema": {"type": "object"}},
        ),
        "Validator": ("ApiGateway::RequestValidator", {"RestApiId": api, "ValidateRequestBody": validates}),
        **{
            method: (
                "ApiGateway::Method",
                {
                    "RestApiId": api,
                    "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
                    "HttpMethod": method,
                    "AuthorizationType": "NONE",
                    "RequestValidatorId": {"Ref": "Validator"},
                    "RequestModels": {"application/json": {"Ref": "Model"}} if method == "POST" else {},
                    "Integration": {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": function},
                },
            )
            for method in ("GET", "POST")
        },
        "Deployment": ("ApiGateway::Deployment", {"RestApiId": api}),
        "Stage": (
            "ApiGateway::Stage",
            {"RestApiId": api, "DeploymentId": {"Ref": "Deployment"}, "StageName": "v1", **stage},
        ),
    }
    if may_invoke:
        resources["Permission"] = (
            "Lambda::Permission",
            {
                "Action": "lambda:InvokeFunction",
                "FunctionName": function,
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": of_api,
            },
        )
    waits = {"Deployment": ["GET", "POST"]}
    url = "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${Stage}/"
    return {
        "Resources": {
            name: {"Type": f"AWS::{kind}", "Properties": properties, "DependsOn": waits.get(name, [])}
            for name, (kind, properties) in resources.items()
        },
        "Outputs": {"Url": {"Value": {"Fn::Sub": url}}},
    }


@pytest.fixture
def deploy(emulator: Emulator) -> Iterator[Any]:
    """Deploys a template, and returns the URL of its API, or why it could not."""
    cloudformation = _client(emulator, "cloudformation")

    def done() -> dict[str, Any]:
        deadline = time.monotonic() + 20
        while True:
            stacks = cloudformation.list_stacks()["StackSummaries"]
            if not any(stack["StackStatus"].endswith("_IN_PROGRESS") for stack in stacks):
                break
            assert time.monotonic() < deadline, stacks
            time.sleep(0.05)
        there = [stack for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"]
        return cloudformation.describe_stacks(StackName="test")["Stacks"][0] if there else {}

    def deploy(template: dict[str, Any], action: str = "create") -> str:
        getattr(cloudformation, f"{action}_stack")(
            StackName="test", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"]
        )
        stack = done()
        if stack["StackStatus"] == f"{action.upper()}_COMPLETE":
            return str(stack["Outputs"][0]["OutputValue"])
        events = cloudformation.describe_stack_events(StackName="test")["StackEvents"]
        return " ".join(event.get("ResourceStatusReason", "") for event in events)

    yield deploy
    cloudformation.delete_stack(StackName="test")
    assert done() == {}


def _ask(url: str, body: bytes | None = None) -> tuple[int, str]:
    answer = urllib3.request("GET" if body is None else "POST", url, body=body, retries=False)
    return answer.status, answer.data.decode()


def test_the_url_that_a_template_puts_together_leads_here(emulator: Emulator, deploy: Any) -> None:
    url = deploy(_template())
    assert url.startswith(f"{emulator.endpoint}/_aws/execute-api/") and url.endswith("/v1/")
    assert _ask(url) == (200, "fine")


def test_bodies_are_validated_for_as_long_as_the_template_says_so(deploy: Any) -> None:
    url = deploy(_template())
    assert _ask(url, b"[]")[0] == 400
    deploy(_template(validates=False), "update")
    assert _ask(url, b"[]")[0] == 500  # from the function


def test_a_function_that_does_not_let_the_api_invoke_it_is_not_invoked(deploy: Any) -> None:
    assert _ask(deploy(_template(may_invoke=False)))[0] == 500


def test_a_fault_of_the_function_is_told_without_its_words(deploy: Any) -> None:
    status, body = _ask(deploy(_template()), b"{}")
    assert status == 500
    assert "words" not in body and "Traceback" not in body


@pytest.mark.parametrize(
    ("stage", "why"),
    [
        (
            {"AccessLogSetting": {"DestinationArn": "arn:aws:logs:us-east-1:1:log-group:x", "Format": "x"}},
            "CloudWatch Logs role ARN must be set",
        ),
        (
            {"MethodSettings": [{"HttpMethod": "*", "ResourcePath": "/*", "LoggingLevel": "INFO"}]},
            "CloudWatch Logs role ARN must be set",
        ),
        (
            {"AccessLogSetting": {"DestinationArn": "arn:aws:firehose:us-east-1:1:deliverystream/x", "Format": "x"}},
            "Invalid ARN",
        ),
    ],
    ids=["access log to CloudWatch", "execution log", "stream of another name"],
)
def test_a_log_that_api_gateway_could_not_write_fails_the_deployment(deploy: Any, stage: Any, why: str) -> None:
    assert why in deploy(_template(**stage))


def test_without_a_log_nothing_is_logged_and_a_removed_one_is_gone(emulator: Emulator, deploy: Any) -> None:
    firehose = _client(emulator, "firehose")
    arn = firehose.create_delivery_stream(DeliveryStreamName="amazon-apigateway-x")["DeliveryStreamARN"]
    log: dict[str, Any] = {
        "AccessLogSetting": {"DestinationArn": arn, "Format": "$context.httpMethod $context.nothing"}
    }
    url = deploy(_template(**log))
    gateway, api = _client(emulator, "apigateway"), url.split("/")[-3]
    settings = gateway.get_stage(restApiId=api, stageName="v1")["accessLogSettings"]
    assert settings == {"destinationArn": arn, "format": log["AccessLogSetting"]["Format"]}
    assert _ask(url)[0] == 200
    deploy(_template(), "update")
    assert not gateway.get_stage(restApiId=api, stageName="v1").get("accessLogSettings")
    assert _ask(url)[0] == 200
    firehose.delete_delivery_stream(DeliveryStreamName="amazon-apigateway-x")
