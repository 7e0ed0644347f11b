"""The Api stack: its gateway follows the contract, and its function has only the permissions that it needs."""

import json
import re
from typing import Any

import pytest

from api.contract import REQUESTS, ROUTES, ErrorCode, Route
from tests.templates import Resources, actions, of_type, only, statements

_API = "AWS::ApiGateway"


@pytest.fixture(scope="module")
def methods(api: Resources) -> dict[tuple[str, str], dict[str, Any]]:
    """The API's methods by HTTP method and path."""

    def path(reference: dict[str, Any]) -> str:
        resource = api.get(reference.get("Ref", ""))
        if resource is None:
            return ""
        return f"{path(resource['Properties']['ParentId'])}/{resource['Properties']['PathPart']}"

    methods = [method["Properties"] for method in of_type(api, f"{_API}::Method").values()]
    return {(method["HttpMethod"], path(method["ResourceId"])): method for method in methods}


def test_methods_are_the_routes_of_the_contract_with_their_preflights(
    methods: dict[tuple[str, str], dict[str, Any]],
) -> None:
    preflights = {("OPTIONS", path) for path in ("", *(route.path for route in ROUTES))}
    assert methods.keys() == preflights | {(route.method, route.path) for route in ROUTES}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_method_requires_the_key_and_validates_the_body_of_its_route(
    api: Resources, methods: dict[tuple[str, str], dict[str, Any]], route: Route
) -> None:
    method = methods[route.method, route.path]
    assert method["ApiKeyRequired"] is route.needs_key
    assert method["Integration"]["Type"] == "AWS_PROXY"
    models = method.get("RequestModels", {})
    if not route.body:
        assert models == {}
        return
    schema = api[models["application/json"]["Ref"]]["Properties"]["Schema"]
    assert schema == {"$schema": "http://json-schema.org/draft-04/schema#", **REQUESTS[route.body]}
    validator = api[method["RequestValidatorId"]["Ref"]]["Properties"]
    assert validator["ValidateRequestBody"] is True


@pytest.mark.guarantee("Closed")
def test_every_write_requires_a_key() -> None:
    assert [route.name for route in ROUTES if route.needs_key != (route.method != "GET")] == []


@pytest.mark.guarantee("Least privilege")
def test_function_reads_no_original_and_writes_only_album_orders(api: Resources) -> None:
    for statement in statements(api, "FunctionRole"):
        arns = json.dumps(statement["Resource"])
        if "Originals" in arns:
            assert actions([statement]) == {"s3:DeleteObject"}
        elif "s3:PutObject" in actions([statement]):
            assert set(re.findall(r'"(/[^"]+)"', arns)) == {"/albums/*/jobs.json", "/albums/*/manifest.json"}


def test_gateway_responses_have_the_shape_of_the_contract_and_no_details(api: Resources) -> None:
    responses = [response["Properties"] for response in of_type(api, f"{_API}::GatewayResponse").values()]
    assert {"ACCESS_DENIED", "DEFAULT_4XX", "DEFAULT_5XX"} <= {response["ResponseType"] for response in responses}
    for response in responses:
        template = response["ResponseTemplates"]["application/json"]
        has_variable = response["ResponseType"] == "BAD_REQUEST_BODY"
        assert re.findall(r"\$[\w.]+", template) == ["$context.error.validationErrorString"] * has_variable
        error = json.loads(template)["error"]
        assert set(error) == {"code", "message"}
        assert ErrorCode(error["code"]).status == int(response["StatusCode"])
        assert response["ResponseParameters"] == {"gatewayresponse.header.Access-Control-Allow-Origin": "'*'"}


def test_preflights_allow_any_origin_to_send_a_key_and_json(methods: dict[tuple[str, str], dict[str, Any]]) -> None:
    for (method, path), properties in methods.items():
        if method == "OPTIONS":
            (response,) = properties["Integration"]["IntegrationResponses"]
            headers = {name.rpartition("-Allow-")[2]: value for name, value in response["ResponseParameters"].items()}
            assert headers["Origin"] == "'*'", path
            assert headers["Headers"] == "'Content-Type,X-Api-Key'", path
            assert headers["Methods"] == "'DELETE,GET,POST'", path


def test_requests_are_throttled_limited_traced_and_logged(api: Resources) -> None:
    _, plan = only(api, f"{_API}::UsagePlan")
    _, stage = only(api, f"{_API}::Stage")
    (settings,) = stage["MethodSettings"]
    assert plan["Throttle"]["RateLimit"] > 0 and plan["Throttle"]["BurstLimit"] > 0
    assert plan["Quota"]["Period"] == "DAY" and plan["Quota"]["Limit"] > 0
    assert (settings["HttpMethod"], settings["ResourcePath"]) == ("*", "/*")
    assert settings["ThrottlingRateLimit"] > 0 and settings["ThrottlingBurstLimit"] > 0
    assert stage["TracingEnabled"] is True
    _, rule = only(api, "AWS::XRay::SamplingRule")
    assert (rule["SamplingRule"]["ReservoirSize"], rule["SamplingRule"]["FixedRate"]) == (0, 0.05)
    assert rule["SamplingRule"]["ServiceType"] == f"{_API}::Stage"
    assert stage["StageName"] in json.dumps(rule["SamplingRule"]["ResourceARN"])
    line = json.loads(stage["AccessLogSetting"]["Format"])
    assert {"$context.identity.sourceIp", "$context.identity.apiKeyId", "$context.status"} <= set(line.values())
