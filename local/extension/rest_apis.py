"""REST APIs of API Gateway: request validation, Lambda permissions, integration errors, metrics, and a local URL.

The emulator validates requests, but its CloudFormation types ignore validators. It invokes functions without permission
and returns the text of their errors. Not emulated: deployments (a changed API takes effect immediately); traces, and so
the sampling rule of a stage.
"""

import json
import re
import time
from typing import Any

import fastjsonschema
from ministack.services import apigateway_v1, cloudwatch, lambda_svc
from ministack.services.cloudformation import changesets, engine, handlers, stacks

from local.extension import iam_roles
from local.extension.cloudformation import Properties, register, wrap

_API_URL = re.compile(r"https://([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com")
_BUCKET_URL = re.compile(r"https://[a-z0-9-]+\.s3\.[a-z0-9-]+\.amazonaws\.com")


def extend() -> None:
    """Extend the API and its CloudFormation types."""
    wrap("AWS::ApiGateway::Method", after=_set_validator)
    wrap("AWS::ApiGateway::RequestValidator", after=_put_validator)
    register(
        "AWS::XRay::SamplingRule",
        create=lambda name, props: (props["SamplingRule"]["RuleName"], {}),
        update=lambda name, props: {},
        delete=lambda name, props: None,
    )
    _describe_invalid_bodies()
    _check_lambda_permissions()
    _record_metrics()
    _use_local_url()


def _set_validator(_method_id: str, props: Properties) -> None:
    """Set the request validator of a method, which the emulator's handler ignores."""
    resource = apigateway_v1._resources[props["RestApiId"]][props["ResourceId"]]
    resource["resourceMethods"][props["HttpMethod"]]["requestValidatorId"] = props.get("RequestValidatorId")


def _put_validator(name: str, props: Properties) -> None:
    """Keep what a request validator validates, which the emulator's handler ignores."""
    apigateway_v1._request_validators.setdefault(props["RestApiId"], {})[name] = {
        "id": name,
        "validateRequestBody": bool(props.get("ValidateRequestBody")),
        "validateRequestParameters": bool(props.get("ValidateRequestParameters")),
    }


def _describe_invalid_bodies() -> None:
    """Replace the variable for the validation error in gateway responses. AWS describes an error in other words."""
    check, respond = apigateway_v1._check_request_validation, apigateway_v1._gateway_error_response

    def check_and_describe(method: Any, api_id: str, request: Any, headers: Any, body: Any, query: Any) -> Any:
        error = check(method, api_id, request, headers, body, query)
        if error and error.response_type == "BAD_REQUEST_BODY":
            schema = apigateway_v1._model_schema(api_id, method["requestModels"]["application/json"])
            request["validation_error"] = _describe(schema, body)
        return error

    def respond_with_description(error: Any, request: Any) -> tuple[int, Any, bytes]:
        status, headers, body = respond(error, request)
        escaped = json.dumps(request.get("validation_error", ""))[1:-1]
        return status, headers, body.replace(b"$context.error.validationErrorString", escaped.encode())

    apigateway_v1._check_request_validation = check_and_describe
    apigateway_v1._gateway_error_response = respond_with_description


def _describe(schema: dict[str, Any], body: Any) -> str:
    try:
        fastjsonschema.validate(schema, json.loads(body))
    except (fastjsonschema.JsonSchemaValueException, ValueError, RecursionError) as error:
        return f"[{error}]"
    return ""


def _check_lambda_permissions() -> None:
    """Invoke a function only if its policy allows this API, and hide the text of its errors, as API Gateway does."""
    call = apigateway_v1._call_lambda_raw

    async def call_if_allowed(function: str, event: dict[str, Any], **scope: Any) -> Any:
        if not _can_invoke(function, event["requestContext"], **scope):
            return None, f"The policy of {function} does not allow API Gateway to invoke it"
        result, error = await call(function, event, **scope)
        if error is None and result.get("error"):
            return None, f"{function} failed; see its log"
        return result, error

    apigateway_v1._call_lambda_raw = call_if_allowed


def _can_invoke(function: str, context: dict[str, Any], *, account_id: str, region: str) -> bool:
    record, config, _name = lambda_svc._get_func_record_for_ref_in_scope(function, account_id=account_id, region=region)
    if record is None or config is None:
        return False
    endpoint = f"{context['apiId']}/{context['stage']}/{context['httpMethod']}{context['resourcePath']}"
    source = f"arn:aws:execute-api:{region}:{account_id}:{endpoint}"
    service, action, resource = "apigateway.amazonaws.com", "lambda:InvokeFunction", config["FunctionArn"]
    return iam_roles.is_service_allowed(record["policy"], service, action, resource, source)


def _record_metrics() -> None:
    """Record one data point for each request.

    See https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
    """
    answer = apigateway_v1._handle_execute_in_scope

    async def answer_and_record(api_id: str, *request: Any) -> tuple[int, dict[str, Any], bytes]:
        start = time.time()
        answered: tuple[int, dict[str, Any], bytes] = await answer(api_id, *request)
        status, milliseconds = answered[0], (time.time() - start) * 1000
        if api := apigateway_v1._rest_apis.get(api_id):
            for name, value, unit in (
                ("Count", 1, "Count"),
                ("4XXError", 400 <= status < 500, "Count"),
                ("5XXError", status >= 500, "Count"),
                ("Latency", milliseconds, "Milliseconds"),
            ):
                cloudwatch.record_metric("AWS/ApiGateway", name, float(value), unit, {"ApiName": api["name"]})
        return answered

    apigateway_v1._handle_execute_in_scope = answer_and_record


def _use_local_url() -> None:
    """Replace the URLs that a template composes for an API and for buckets by their URLs in the emulator."""
    resolve = engine._resolve_refs
    endpoint = iam_roles.endpoint()

    def resolve_to_local_url(value: Any, *context: Any) -> Any:
        resolved = resolve(value, *context)
        if not isinstance(resolved, str):
            return resolved
        return _BUCKET_URL.sub(endpoint, _API_URL.sub(rf"{endpoint}/_aws/execute-api/\1", resolved))

    for module in (engine, changesets, handlers, stacks):
        module._resolve_refs = resolve_to_local_url
