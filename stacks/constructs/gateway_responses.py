"""What API Gateway answers when a request does not get to the function: errors in the contract's one shape.

Its own answers have another shape, are hidden from pages of another origin, and tell the account's number to those
whom the resource policy keeps out.
"""

import json

from aws_cdk import aws_apigateway as apigateway

from api.contract import ErrorCode, error_body

_Type = apigateway.ResponseType

_ERRORS = {
    _Type.ACCESS_DENIED: (
        ErrorCode.ADDRESS_NOT_ALLOWED,
        "This API is not open to your address: see the setting allowed_cidr.",
    ),
    _Type.INVALID_API_KEY: (ErrorCode.FORBIDDEN, "This needs an API key in the header X-Api-Key: see make key."),
    # What it says of paths and methods that there are not.
    _Type.MISSING_AUTHENTICATION_TOKEN: (ErrorCode.NOT_FOUND, "There is nothing here by this method and path."),
    # It could say what is wrong, but in words that may break the quotes they stand in.
    _Type.BAD_REQUEST_BODY: (ErrorCode.INVALID_REQUEST, "The body is not what docs/openapi.json describes."),
    _Type.REQUEST_TOO_LARGE: (ErrorCode.TOO_LARGE, "The request is too large."),
    _Type.UNSUPPORTED_MEDIA_TYPE: (ErrorCode.UNSUPPORTED_MEDIA_TYPE, "The body must be application/json."),
    _Type.THROTTLED: (ErrorCode.TOO_MANY_REQUESTS, "Too many requests at once. Try again in a moment."),
    _Type.QUOTA_EXCEEDED: (ErrorCode.TOO_MANY_REQUESTS, "This API key has made all its requests of today."),
    _Type.INTEGRATION_TIMEOUT: (ErrorCode.UNAVAILABLE, "This took too long. Try again in a moment."),
    _Type.INTEGRATION_FAILURE: (ErrorCode.UNAVAILABLE, "The API does not answer. Try again in a moment."),
    # All others, such as requests that are no HTTP, and a function that ends without an answer.
    _Type.DEFAULT_4_XX: (ErrorCode.INVALID_REQUEST, "This is not a request that the API understands."),
    _Type.DEFAULT_5_XX: (ErrorCode.INTERNAL_ERROR, "Something went wrong here. Trying again may help."),
}


def add_gateway_responses(api: apigateway.RestApi) -> None:
    """Give this API the contract's errors, for pages of any origin to read."""
    for response_type, (code, message) in _ERRORS.items():
        api.add_gateway_response(
            response_type.response_type,
            type=response_type,
            status_code=str(code.status),
            response_headers={"Access-Control-Allow-Origin": "'*'"},
            templates={"application/json": json.dumps(error_body(code, message))},
        )
