"""REST APIs: bodies are validated, the function is asked, its faults stay inside; each has metrics and an address here.

On paper only: a changed API is there at once, where AWS waits for a deployment of it. Tests of the templates see to
that each change makes one.
"""

import json
import os
import re
import time
from typing import Any

from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
from ministack.services import apigateway_v1, cloudwatch, lambda_svc
from ministack.services.cloudformation import changesets, engine, handlers, stacks
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

# What its name on AWS begins with; here that would lead nowhere.
_ON_AWS = re.compile(r"https://([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com")


def extend() -> None:
    """Replace and add handlers, and how a function is called."""
    _validate_bodies()
    _ask_the_function()
    _measure()
    _address_apis()


def _validate_bodies() -> None:
    """The emulator validates, but CloudFormation's handlers tell it of no validator."""
    method = _RESOURCE_HANDLERS["AWS::ApiGateway::Method"]

    def with_validator(handle: Any, properties: int) -> Any:
        def handle_and_keep(*args: Any) -> Any:
            result, props = handle(*args), args[properties]
            resource = apigateway_v1._resources[props["RestApiId"]][props["ResourceId"]]
            resource["resourceMethods"][props["HttpMethod"]]["requestValidatorId"] = props.get("RequestValidatorId")
            return result

        return handle_and_keep

    method.update(create=with_validator(method["create"], 1), update=with_validator(method["update"], 2))
    _RESOURCE_HANDLERS["AWS::ApiGateway::RequestValidator"] = {
        "create": _create_validator,
        "update": _update_validator,
        "delete": lambda validator, props: _validators(props).pop(validator, None),
    }


def _validators(props: dict[str, Any]) -> Any:
    return apigateway_v1._request_validators.setdefault(props["RestApiId"], {})


def _create_validator(logical_id: str, props: dict[str, Any], stack_name: str) -> tuple[str, dict[str, Any]]:
    wanted = {
        name: props.get(name[0].upper() + name[1:]) for name in ("validateRequestBody", "validateRequestParameters")
    }
    _status, _headers, body = apigateway_v1._create_request_validator(props["RestApiId"], wanted)
    validator = json.loads(body)["id"]
    return validator, {"RequestValidatorId": validator}


def _update_validator(
    validator: str, old: dict[str, Any], new: dict[str, Any], stack_name: str
) -> tuple[str, dict[str, Any]]:
    for name in ("ValidateRequestBody", "ValidateRequestParameters"):
        _validators(new)[validator][name[0].lower() + name[1:]] = bool(new.get(name))
    return validator, {"RequestValidatorId": validator}


def _ask_the_function() -> None:
    """Call a function only where its policy lets this API, and answer its faults as API Gateway does: without them."""
    call = apigateway_v1._call_lambda_raw

    async def call_if_allowed(function: str, event: dict[str, Any], **scope: Any) -> Any:
        if not _may_invoke(function, event["requestContext"], **scope):
            return None, f"{function} does not let API Gateway invoke it"
        result, error = await call(function, event, **scope)
        if error is None and result.get("error"):
            return None, f"{function} failed"  # its log says why
        return result, error

    apigateway_v1._call_lambda_raw = call_if_allowed


def _may_invoke(function: str, request: dict[str, Any], *, account_id: str, region: str) -> bool:
    record, config, _name = lambda_svc._get_func_record_for_ref_in_scope(function, account_id=account_id, region=region)
    if record is None or config is None:
        return False
    endpoint = f"{request['apiId']}/{request['stage']}/{request['httpMethod']}{request['resourcePath']}"
    asked = EvalContext(
        "apigateway.amazonaws.com",
        "Service",
        "",
        "lambda:InvokeFunction",
        config["FunctionArn"],
        region,
        service_context={"aws:sourcearn": f"arn:aws:execute-api:{region}:{account_id}:{endpoint}"},
    )
    decision = evaluate_resource_policy(record["policy"], asked, service="apigateway.amazonaws.com").decision
    return bool(decision == "Allow")


def _measure() -> None:
    """Give CloudWatch its metrics (API Gateway guide, "Dimensions and metrics"), one point for each request."""
    answer = apigateway_v1._handle_execute_in_scope

    async def answer_and_measure(api_id: str, *request: Any) -> tuple[int, dict[str, Any], bytes]:
        start = time.time()
        answered: tuple[int, dict[str, Any], bytes] = await answer(api_id, *request)
        status, milliseconds = answered[0], (time.time() - start) * 1000
        api = apigateway_v1._rest_apis.get(api_id)
        if api:
            for name, value, unit in (
                ("Count", 1, "Count"),
                ("4XXError", 400 <= status < 500, "Count"),
                ("5XXError", status >= 500, "Count"),
                ("Latency", milliseconds, "Milliseconds"),
            ):
                cloudwatch.record_metric("AWS/ApiGateway", name, float(value), unit, {"ApiName": api["name"]})
        return answered

    apigateway_v1._handle_execute_in_scope = answer_and_measure


def _address_apis() -> None:
    """Wherever a template puts the URL of an API together, it becomes the one that leads there from this machine."""
    resolve = engine._resolve_refs
    here = rf"http://127.0.0.1:{os.environ['GATEWAY_PORT']}/_aws/execute-api/\1"

    def resolve_to_here(value: Any, *context: Any) -> Any:
        resolved = resolve(value, *context)
        return _ON_AWS.sub(here, resolved) if isinstance(resolved, str) else resolved

    for module in (engine, changesets, handlers, stacks):
        if module._resolve_refs is not resolve:
            raise AttributeError(f"{module.__name__}._resolve_refs")
        module._resolve_refs = resolve_to_here
