"""Access logs of REST APIs: a line for each request, put into the Firehose stream that the stage names.

On paper only: Firehose here buffers nothing, and puts no newline behind a record.
"""

import base64
import json
import re
import time
from contextvars import ContextVar
from typing import Any
from uuid import uuid4

from ministack.core.iam_evaluator import _request_origin
from ministack.services import apigateway_v1, firehose
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

_VARIABLE = re.compile(r"\$context((?:\.\w+)+)")

# Of the request that is answered: the kind of error that API Gateway itself answers with.
_error: ContextVar[str] = ContextVar("error", default="-")


def extend() -> None:
    """Let stages know their log, and write it."""
    stage = _RESOURCE_HANDLERS["AWS::ApiGateway::Stage"]
    create, update = stage["create"], stage["update"]
    answer, answer_error = apigateway_v1._handle_execute_in_scope, apigateway_v1._gateway_error_response
    firehose._put_record  # noqa: B018  # gone in another version: say so at the start, not at the first request

    def create_with_log(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        _check(props)
        result = create(logical_id, props, stack_name)
        _keep(props)
        return result

    def update_with_log(name: str, old: dict[str, Any], new: dict[str, Any], stack_name: str) -> Any:
        _check(new)
        result = update(name, old, new, stack_name)
        _keep(new)
        return result

    def answer_and_remember_error(error: Any, request: Any) -> Any:
        _error.set(error.response_type)
        return answer_error(error, request)

    async def answer_and_log(
        api_id: str, stage_name: str, method: str, path: str, headers: Any, *rest: Any
    ) -> tuple[int, dict[str, Any], bytes]:
        start = time.time()
        status, answered, body = await answer(api_id, stage_name, method, path, headers, *rest)
        settings = apigateway_v1._stages_v1.get(api_id, {}).get(stage_name, {}).get("accessLogSettings")
        if settings:
            key = apigateway_v1._resolve_api_key(apigateway_v1._api_key_from_request(headers)) or {}
            values = {
                "requestId": answered.get("x-amzn-requestid", str(uuid4())),
                "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(start)),
                "identity.sourceIp": _request_origin.get()[0],
                "identity.apiKeyId": key.get("id", "-"),
                "httpMethod": method,
                "path": f"/{stage_name}{path}",
                "status": status,
                "error.responseType": _error.get(),
                "responseLatency": round((time.time() - start) * 1000),
                "responseLength": len(body),
            }
            line = _VARIABLE.sub(lambda found: str(values.get(found[1][1:], "-")), settings["format"])
            stream = settings["destinationArn"].rpartition("/")[2]
            firehose._put_record(
                {"DeliveryStreamName": stream, "Record": {"Data": base64.b64encode(line.encode()).decode()}}
            )
        return status, answered, body

    stage.update(create=create_with_log, update=update_with_log)
    apigateway_v1._gateway_error_response = answer_and_remember_error
    apigateway_v1._handle_execute_in_scope = answer_and_log


def _check(props: dict[str, Any]) -> None:
    """Refuse what API Gateway refuses."""
    destination = props.get("AccessLogSetting", {}).get("DestinationArn", "")
    levels = {setting.get("LoggingLevel", "OFF") for setting in props.get("MethodSettings", [])}
    account = apigateway_v1._account_settings.get("settings") or {}
    if (":logs:" in destination or levels - {"OFF"}) and not account.get("cloudwatchRoleArn"):
        raise ValueError("CloudWatch Logs role ARN must be set in account settings to enable logging")
    if ":firehose:" in destination:
        name = destination.rpartition("/")[2]
        if not name.startswith("amazon-apigateway-") or name not in firehose._streams:
            raise ValueError(
                f"Invalid ARN specified in the request. No stream named {json.dumps(name)} for API Gateway"
            )


def _keep(props: dict[str, Any]) -> None:
    setting = props.get("AccessLogSetting") or {}
    stage = apigateway_v1._stages_v1[props["RestApiId"]][props["StageName"]]
    stage["accessLogSettings"] = {name[0].lower() + name[1:]: value for name, value in setting.items()}
