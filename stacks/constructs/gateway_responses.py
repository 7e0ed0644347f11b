"""Gateway responses: errors in the contract's format for requests that do not reach the function.

The default responses have another format, lack the CORS header, and reveal the account ID to callers that the resource
policy denies.
"""

import json

from aws_cdk import aws_apigateway as apigateway

from api.contract import MAX_BODY, ErrorCode, error_body

_Type = apigateway.ResponseType

_ERRORS = {
    _Type.ACCESS_DENIED: (
        ErrorCode.ADDRESS_NOT_ALLOWED,
        "This API does not accept requests from your address. See the allowed_cidr setting.",
    ),
    _Type.INVALID_API_KEY: (
        ErrorCode.FORBIDDEN,
        "The API key in the header X-Api-Key is missing or not valid. `make key` prints it.",
    ),
    # API Gateway uses this type for unknown paths and methods.
    _Type.MISSING_AUTHENTICATION_TOKEN: (
        ErrorCode.NOT_FOUND,
        "No route matches this method and path. docs/openapi.json lists the routes.",
    ),
    # API Gateway replaces the variable with the field, if one has a wrong value, and the rule.
    _Type.BAD_REQUEST_BODY: (
        ErrorCode.INVALID_REQUEST,
        "The body does not match docs/openapi.json: $context.error.validationErrorString",
    ),
    _Type.REQUEST_TOO_LARGE: (ErrorCode.TOO_LARGE, f"The body can have at most {MAX_BODY >> 10} KiB."),
    _Type.UNSUPPORTED_MEDIA_TYPE: (ErrorCode.UNSUPPORTED_MEDIA_TYPE, "The content type must be application/json."),
    _Type.THROTTLED: (ErrorCode.TOO_MANY_REQUESTS, "Too many requests. Try again in a moment."),
    _Type.QUOTA_EXCEEDED: (ErrorCode.TOO_MANY_REQUESTS, "This API key has used its daily quota."),
    _Type.INTEGRATION_TIMEOUT: (ErrorCode.UNAVAILABLE, "The request timed out. Try again in a moment."),
    _Type.INTEGRATION_FAILURE: (ErrorCode.UNAVAILABLE, "The API is unavailable. Try again in a moment."),
    # Everything else, such as malformed HTTP or a function that ends without a response.
    _Type.DEFAULT_4_XX: (
        ErrorCode.INVALID_REQUEST,
        "API Gateway cannot read this request. Compare it with docs/openapi.json.",
    ),
    _Type.DEFAULT_5_XX: (ErrorCode.INTERNAL_ERROR, "Internal error. Try again."),
}


def add_gateway_responses(api: apigateway.RestApi) -> None:
    """Add the contract's errors as gateway responses, readable by pages of any origin."""
    for response_type, (code, message) in _ERRORS.items():
        api.add_gateway_response(
            response_type.response_type,
            type=response_type,
            status_code=str(code.status),
            response_headers={"Access-Control-Allow-Origin": "'*'"},
            templates={"application/json": json.dumps(error_body(code, message))},
        )
