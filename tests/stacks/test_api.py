"""The Api stack: what its template promises."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Match, Template

from api.contract import REQUESTS, ROUTES, ErrorCode, Route
from app import build

CIDR = "203.0.113.7/32"
FROM_THERE = {"IpAddress": {"aws:SourceIp": CIDR}}


@pytest.fixture(scope="module")
def closed(template: Callable[[str], Template]) -> Template:
    """Without the setting allowed_cidr."""
    return template("Api")


@pytest.fixture(scope="module")
def opened(context: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Template:
    """With it."""
    folder = tmp_path_factory.mktemp("opened")
    build(App(context={**context, "allowed_cidr": CIDR}, outdir=str(folder))).synth()
    return Template.from_string((folder / "Api.template.json").read_text())


def _only(template: Template, kind: str) -> dict[str, Any]:
    (found,) = template.find_resources(f"AWS::{kind}").values()
    properties: dict[str, Any] = found["Properties"]
    return properties


def _methods(template: Template) -> dict[tuple[str, str], dict[str, Any]]:
    """By method and path."""
    resources = template.find_resources("AWS::ApiGateway::Resource")

    def path(reference: dict[str, Any]) -> str:
        found = resources.get(reference.get("Ref", ""))
        return f"{path(found['Properties']['ParentId'])}/{found['Properties']['PathPart']}" if found else ""

    methods = [method["Properties"] for method in template.find_resources("AWS::ApiGateway::Method").values()]
    return {(method["HttpMethod"], path(method["ResourceId"])): method for method in methods}


def _statements(template: Template) -> list[dict[str, Any]]:
    """What the function may do, besides its log and traces."""
    policies = template.find_resources("AWS::IAM::Policy")
    (policy,) = [found for name, found in policies.items() if name.startswith("FunctionRole")]
    statements: list[dict[str, Any]] = policy["Properties"]["PolicyDocument"]["Statement"]
    return [statement for statement in statements if not str(statement["Action"]).startswith("['logs:")]


def _actions(statement: dict[str, Any]) -> set[str]:
    listed = statement["Action"]
    return {listed} if isinstance(listed, str) else set(listed)


def test_outputs_of_the_contract(closed: Template) -> None:
    outputs = {name for name in closed.to_json()["Outputs"] if not name.startswith("Publish")}
    assert outputs == {"ApiUrl", "ApiKeyId"}


def test_without_a_setting_nobody_gets_in(closed: Template) -> None:
    (statement,) = _only(closed, "ApiGateway::RestApi")["Policy"]["Statement"]
    assert (statement["Effect"], statement["Principal"]) == ("Deny", {"AWS": "*"})
    assert (statement["Action"], statement["Resource"]) == ("execute-api:Invoke", "execute-api:/*")
    assert "Condition" not in statement


def test_with_the_setting_its_addresses_get_in_and_no_others(opened: Template) -> None:
    (statement,) = _only(opened, "ApiGateway::RestApi")["Policy"]["Statement"]
    assert statement["Effect"] == "Allow"
    assert statement["Condition"] == FROM_THERE


def test_its_methods_are_the_routes_of_the_contract_and_preflights(closed: Template) -> None:
    methods = set(_methods(closed))
    assert {(route.method, route.path) for route in ROUTES} == {it for it in methods if it[0] != "OPTIONS"}
    assert {path for method, path in methods if method == "OPTIONS"} == {"", *(route.path for route in ROUTES)}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_each_asks_for_a_key_and_checks_bodies_as_the_contract_says(closed: Template, route: Route) -> None:
    method = _methods(closed)[route.method, route.path]
    assert method["ApiKeyRequired"] is route.needs_key
    assert method["Integration"]["Type"] == "AWS_PROXY"
    models = method.get("RequestModels", {})
    if not route.body:
        assert models == {}
        return
    model = closed.find_resources("AWS::ApiGateway::Model")[models["application/json"]["Ref"]]["Properties"]
    assert model["Schema"] == {"$schema": "http://json-schema.org/draft-04/schema#", **REQUESTS[route.body]}
    validator = closed.find_resources("AWS::ApiGateway::RequestValidator")[method["RequestValidatorId"]["Ref"]]
    assert validator["Properties"]["ValidateRequestBody"] is True


def test_every_write_needs_a_key() -> None:
    assert [route.name for route in ROUTES if route.needs_key != (route.method != "GET")] == []


def test_the_key_is_in_no_template_and_its_use_is_bounded(closed: Template) -> None:
    assert "Value" not in _only(closed, "ApiGateway::ApiKey")
    plan = _only(closed, "ApiGateway::UsagePlan")
    assert plan["Throttle"]["RateLimit"] > 0 and plan["Throttle"]["BurstLimit"] > 0
    assert plan["Quota"]["Period"] == "DAY" and plan["Quota"]["Limit"] > 0
    assert _only(closed, "ApiGateway::UsagePlanKey")["KeyType"] == "API_KEY"


def test_the_stage_is_throttled_traced_and_logged(closed: Template) -> None:
    stage = _only(closed, "ApiGateway::Stage")
    (everything,) = stage["MethodSettings"]
    assert (everything["HttpMethod"], everything["ResourcePath"]) == ("*", "/*")
    assert everything["ThrottlingRateLimit"] > 0 and everything["ThrottlingBurstLimit"] > 0
    assert stage["TracingEnabled"] is True
    line = json.loads(stage["AccessLogSetting"]["Format"])
    assert {"$context.identity.sourceIp", "$context.identity.apiKeyId", "$context.status"} <= set(line.values())


def test_the_function_may_do_what_its_code_does_and_no_more(closed: Template) -> None:
    actions = set().union(*(_actions(statement) for statement in _statements(closed)))
    assert actions == {
        "batch:DescribeJobs",
        "batch:SubmitJob",
        "dynamodb:DeleteItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "s3:DeleteObject",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObject",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }
    wild = [_actions(statement) for statement in _statements(closed) if statement["Resource"] == "*"]
    assert wild == [{"batch:DescribeJobs", "xray:PutTelemetryRecords", "xray:PutTraceSegments"}]


def test_it_reads_no_original_and_writes_no_thumbnail(opened: Template) -> None:
    for statement in _statements(opened):
        resources = json.dumps(statement["Resource"])
        if "Originals" in resources:
            assert _actions(statement) <= {"s3:DeleteObject", "s3:PutObject"}
        elif "s3:PutObject" in _actions(statement):
            assert set(re.findall(r'"(/[^"]+)"', resources)) == {"/albums/*/jobs.json", "/albums/*/manifest.json"}


def test_its_links_hold_from_the_allowed_addresses_only(closed: Template, opened: Template) -> None:
    unsigned = [json.dumps(statement, sort_keys=True) for statement in _statements(closed)]
    signing = [it for it in _statements(opened) if json.dumps(it, sort_keys=True) not in unsigned]
    assert [statement["Condition"] for statement in signing] == [FROM_THERE] * len(signing)
    assert {action for statement in signing for action in _actions(statement)} == {"s3:GetObject", "s3:PutObject"}
    for objects in ("/uploads/*", "/*/*.webp", "/albums/*/album.pdf"):
        assert objects in json.dumps(signing) and objects not in json.dumps(unsigned)


def test_errors_of_the_gateway_have_the_contracts_shape_and_tell_nothing(closed: Template) -> None:
    answers = [found["Properties"] for found in closed.find_resources("AWS::ApiGateway::GatewayResponse").values()]
    assert {"ACCESS_DENIED", "DEFAULT_4XX", "DEFAULT_5XX"} <= {answer["ResponseType"] for answer in answers}
    for answer in answers:
        template = answer["ResponseTemplates"]["application/json"]
        assert "$" not in template  # where API Gateway would put in words of its own
        error = json.loads(template)["error"]
        assert set(error) == {"code", "message"}
        assert ErrorCode(error["code"]).status == int(answer["StatusCode"])
        assert answer["ResponseParameters"] == {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"}


def test_pages_of_any_origin_may_send_a_key_and_json(closed: Template) -> None:
    for (method, path), found in _methods(closed).items():
        if method == "OPTIONS":
            (answer,) = found["Integration"]["IntegrationResponses"]
            told = {name.rpartition("-Allow-")[2]: value for name, value in answer["ResponseParameters"].items()}
            assert told["Origin"] == "'*'", path
            assert told["Headers"] == "'Content-Type,X-Api-Key'", path
            assert told["Methods"] == "'DELETE,GET,POST'", path


def test_the_originals_take_forms_from_pages_of_any_origin_and_nothing_else(
    template: Callable[[str], Template],
) -> None:
    buckets = template("Thumbnails").find_resources("AWS::S3::Bucket")
    rules = {name: found["Properties"].get("CorsConfiguration", {}).get("CorsRules") for name, found in buckets.items()}
    (originals,) = [rules.pop(name) for name in list(rules) if name.startswith("Originals")]
    assert [(rule["AllowedMethods"], rule["AllowedOrigins"]) for rule in originals] == [(["POST"], ["*"])]
    assert list(rules.values()) == [None]


def test_deployed_alone_it_brings_what_it_works_on(assembly: Path) -> None:
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    needed = {name for name in artifacts["Api"]["dependencies"] if not name.endswith(".assets")}
    assert needed == {"Batch", "Thumbnails"}


def test_faults_reach_a_person(closed: Template) -> None:
    closed.has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            "Namespace": "AWS/ApiGateway",
            "MetricName": "5XXError",
            "Statistic": "Sum",
            "Dimensions": Match.array_with([{"Name": "ApiName", "Value": "other-compute-Api"}]),
            "TreatMissingData": "notBreaching",
        },
    )
