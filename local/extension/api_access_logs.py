"""Access logs of REST APIs: one line for each request, sent to the Firehose stream that the stage names.

The emulator writes none. Not emulated: buffering, and the newline that API Gateway appends to each record.
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

from local.extension.cloudformation import Properties, wrap

_VARIABLE = re.compile(r"\$context((?:\.\w+)+)")

# The type of the gateway response to the current request, if API Gateway answers it with an error.
_error_type: ContextVar[str] = ContextVar("error_type", default="-")


def extend() -> None:
    """Keep the log settings of stages, and log each request."""
    answer, answer_error = apigateway_v1._handle_execute_in_scope, apigateway_v1._gateway_error_response

    def answer_and_keep_error(error: Any, request: Any) -> Any:
        _error_type.set(error.response_type)
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
                "error.responseType": _error_type.get(),
                "responseLatency": round((time.time() - start) * 1000),
                "responseLength": len(body),
            }
            line = _VARIABLE.sub(lambda found: str(values.get(found[1][1:], "-")), settings["format"])
            record = {"Data": base64.b64encode(line.encode()).decode()}
            stream = settings["destinationArn"].rpartition("/")[2]
            firehose._put_record({"DeliveryStreamName": stream, "Record": record})
        return status, answered, body

    wrap("AWS::ApiGateway::Stage", before=_check_destination, after=_keep_settings)
    apigateway_v1._gateway_error_response = answer_and_keep_error
    apigateway_v1._handle_execute_in_scope = answer_and_log


def _check_destination(props: Properties) -> None:
    """Reject the log settings that API Gateway rejects."""
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


def _keep_settings(_stage_id: str, props: Properties) -> None:
    setting = props.get("AccessLogSetting") or {}
    stage = apigateway_v1._stages_v1[props["RestApiId"]][props["StageName"]]
    stage["accessLogSettings"] = {name[0].lower() + name[1:]: value for name, value in setting.items()}
