"""REST APIs in the emulator: deployment, responses, and logs."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import urllib3

from local.emulator import Emulator
from tests.e2e.eventually import eventually
from tests.local.emulator_requests import create_client

pytestmark = pytest.mark.slow  # starts an emulator

_PROGRAM = """
def handler(event, context):
    if event["body"]:
        raise ValueError("internal details")
    return {"statusCode": 200, "body": "fine"}
"""


def _resource(resource_type: str, depends_on: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{resource_type}", "Properties": properties, "DependsOn": depends_on}


def _template(*, has_permission: bool = True, validates: bool = True, **stage: Any) -> dict[str, Any]:
    """Return an API with the methods GET and POST of `/`, where the body of POST must be an object."""
    api, function = {"Ref": "Api"}, {"Fn::GetAtt": ["Function", "Arn"]}
    assume_role = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    resources = {
        "Role": _resource("IAM::Role", AssumeRolePolicyDocument={"Version": "2012-10-17", "Statement": [assume_role]}),
        "Function": _resource(
            "Lambda::Function",
            Runtime="python3.13",
            Handler="index.handler",
            Code={"ZipFile": _PROGRAM},
            Role={"Fn::GetAtt": ["Role", "Arn"]},
        ),
        "Permission": _resource(
            "Lambda::Permission",
            Action="lambda:InvokeFunction",
            FunctionName=function,
            Principal="apigateway.amazonaws.com",
            SourceArn={"Fn::Sub": "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*/*/*"},
        ),
        "Api": _resource("ApiGateway::RestApi", Name="test"),
        "Model": _resource(
            "ApiGateway::Model",
            RestApiId=api,
            Name="Body",
            ContentType="application/json",
            Schema={"type": "object"},
        ),
        "Validator": _resource("ApiGateway::RequestValidator", RestApiId=api, ValidateRequestBody=validates),
        **{
            method: _resource(
                "ApiGateway::Method",
                RestApiId=api,
                ResourceId={"Fn::GetAtt": ["Api", "RootResourceId"]},
                HttpMethod=method,
                AuthorizationType="NONE",
                RequestValidatorId={"Ref": "Validator"},
                RequestModels={"application/json": {"Ref": "Model"}} if method == "POST" else {},
                Integration={"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": function},
            )
            for method in ("GET", "POST")
        },
        "Deployment": _resource("ApiGateway::Deployment", ("GET", "POST"), RestApiId=api),
        "Stage": _resource(
            "ApiGateway::Stage", RestApiId=api, DeploymentId={"Ref": "Deployment"}, StageName="v1", **stage
        ),
    }
    if not has_permission:
        del resources["Permission"]
    url = "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${Stage}/"
    return {"Resources": resources, "Outputs": {"Url": {"Value": {"Fn::Sub": url}}}}


@pytest.fixture
def deploy(emulator: Emulator) -> Iterator[Callable[..., str]]:
    """Deploy a template, and return the URL of its API or the reasons why it failed."""
    cloudformation = create_client(emulator, "cloudformation")

    def wait() -> list[dict[str, Any]]:
        def stacks() -> list[dict[str, Any]]:
            return list(cloudformation.list_stacks()["StackSummaries"])

        eventually(lambda: not any(stack["StackStatus"].endswith("_IN_PROGRESS") for stack in stacks()))
        return [stack for stack in stacks() if stack["StackStatus"] != "DELETE_COMPLETE"]

    def deploy(template: dict[str, Any], action: str = "create") -> str:
        getattr(cloudformation, f"{action}_stack")(
            StackName="test", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"]
        )
        wait()
        stack = cloudformation.describe_stacks(StackName="test")["Stacks"][0]
        if stack["StackStatus"] == f"{action.upper()}_COMPLETE":
            return str(stack["Outputs"][0]["OutputValue"])
        events = cloudformation.describe_stack_events(StackName="test")["StackEvents"]
        return " ".join(event.get("ResourceStatusReason", "") for event in events)

    yield deploy
    cloudformation.delete_stack(StackName="test")
    assert wait() == []


def _request(url: str, body: bytes | None = None) -> tuple[int, str]:
    response = urllib3.request("GET" if body is None else "POST", url, body=body, retries=False)
    return response.status, response.data.decode()


def test_url_in_a_template_leads_to_the_emulator(emulator: Emulator, deploy: Callable[..., str]) -> None:
    url = deploy(_template())
    assert url.startswith(f"{emulator.endpoint}/_aws/execute-api/") and url.endswith("/v1/")
    assert _request(url) == (200, "fine")


def test_bodies_are_validated_only_while_the_validator_requires_it(deploy: Callable[..., str]) -> None:
    url = deploy(_template())
    assert _request(url, b"[]")[0] == 400
    deploy(_template(validates=False), "update")
    assert _request(url, b"[]")[0] == 500  # from the function


def test_function_is_not_invoked_without_a_permission(deploy: Callable[..., str]) -> None:
    assert _request(deploy(_template(has_permission=False)))[0] == 500


def test_function_error_is_answered_without_its_text(deploy: Callable[..., str]) -> None:
    status, body = _request(deploy(_template()), b"{}")
    assert status == 500
    assert "details" not in body and "Traceback" not in body


@pytest.mark.parametrize(
    ("stage", "reason"),
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
    ids=["access log in CloudWatch", "execution log", "stream with another name"],
)
def test_deployment_fails_when_api_gateway_cannot_write_the_log(
    deploy: Callable[..., str], stage: dict[str, Any], reason: str
) -> None:
    assert reason in deploy(_template(**stage))


def test_removed_access_log_is_not_written(emulator: Emulator, deploy: Callable[..., str]) -> None:
    firehose, gateway = create_client(emulator, "firehose"), create_client(emulator, "apigateway")
    arn = firehose.create_delivery_stream(DeliveryStreamName="amazon-apigateway-x")["DeliveryStreamARN"]
    log_format = "$context.httpMethod $context.nothing"
    url = deploy(_template(AccessLogSetting={"DestinationArn": arn, "Format": log_format}))
    stage = {"restApiId": url.split("/")[-3], "stageName": "v1"}
    assert gateway.get_stage(**stage)["accessLogSettings"] == {"destinationArn": arn, "format": log_format}
    assert _request(url)[0] == 200
    deploy(_template(), "update")
    assert not gateway.get_stage(**stage).get("accessLogSettings")
    assert _request(url)[0] == 200
    firehose.delete_delivery_stream(DeliveryStreamName="amazon-apigateway-x")
