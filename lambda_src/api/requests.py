"""Parses and validates API Gateway events.

API Gateway validates bodies against the same schemas. The function validates them again, because API Gateway passes
bodies with another content type through, and does not check the types of query parameters.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import fastjsonschema

from api.contract import ID_PATTERN, MAX_BODY, REQUESTS, ROUTES, ErrorCode, Route, Schema

_MAX_MESSAGE: Final = 300  # characters: a message may quote the request
_NO_QUERY: Final[Schema] = {"type": "object", "additionalProperties": False}


class RequestError(Exception):
    """The request is invalid or cannot be fulfilled.

    Attributes:
        code: Error code of the contract.
        message: A sentence to display.
    """

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Request:
    """A valid request, with defaults filled in.

    Attributes:
        id: Id of the photo or album in the path, if the route has one.
    """

    route: Route
    id: str = ""
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)


def parse_request(event: Mapping[str, Any]) -> Request:
    """Return the request in an event of a REST API with Lambda proxy integration.

    Raises:
        RequestError: The contract does not allow this request.
    """
    route = _ROUTES.get((event.get("httpMethod"), event.get("resource")))
    if route is None:
        raise RequestError(ErrorCode.NOT_FOUND, "No route matches this method and path.")
    return Request(
        route,
        id=_id(event) if "{id}" in route.path else "",
        query=_query(route, event),
        body=_body(route, event) if route.body else {},
    )


def _id(event: Mapping[str, Any]) -> str:
    text = (event.get("pathParameters") or {}).get("id") or ""
    if not re.fullmatch(ID_PATTERN.strip("^$"), text):
        raise RequestError(ErrorCode.NOT_FOUND, "The id in the path is not valid.")
    return str(text)


def _query(route: Route, event: Mapping[str, Any]) -> Mapping[str, Any]:
    given: Mapping[str, list[str]] = event.get("multiValueQueryStringParameters") or {}
    for name, values in given.items():
        if len(values) != 1:
            raise RequestError(ErrorCode.INVALID_REQUEST, _truncate(f"query.{name} must occur once"))
    properties = (route.query or _NO_QUERY).get("properties", {})
    typed = {name: _convert(value, properties.get(name, {})) for name, (value,) in given.items()}
    return _validate(_QUERIES[route.name], typed, "query")


def _convert(text: str, schema: Schema) -> int | str:
    is_integer = schema.get("type") == "integer" and re.fullmatch("-?[0-9]{1,9}", text)
    return int(text) if is_integer else text


def _body(route: Route, event: Mapping[str, Any]) -> Mapping[str, Any]:
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    content_type = headers.get("content-type") or "application/json"  # the default of API Gateway
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise RequestError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "The content type must be application/json.")
    text = event.get("body") or ""
    if len(text) > 2 * MAX_BODY:  # too large even if it is Base64, so it need not be decoded
        raise _too_large()
    try:
        raw = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
        if len(raw) > MAX_BODY:
            raise _too_large()
        body = json.loads(raw.decode())
        json.dumps(body, ensure_ascii=False).encode()  # "\ud800" is valid JSON, but not valid text
    except (ValueError, RecursionError) as error:
        raise RequestError(ErrorCode.INVALID_REQUEST, "The body is not valid JSON in UTF-8.") from error
    return _validate(_BODIES[route.name], body, "body")


def _too_large() -> RequestError:
    return RequestError(ErrorCode.TOO_LARGE, f"The body exceeds {MAX_BODY >> 10} KiB.")


def _validate(validate: Callable[..., Any], given: Any, name: str) -> Mapping[str, Any]:
    try:
        valid: Mapping[str, Any] = validate(given, name_prefix=name)
    except fastjsonschema.JsonSchemaValueException as error:
        raise RequestError(ErrorCode.INVALID_REQUEST, _truncate(error.message)) from error
    return valid


def _truncate(message: str) -> str:
    return message if len(message) <= _MAX_MESSAGE else f"{message[:_MAX_MESSAGE]} …"


def _compile(schema: Schema) -> Callable[..., Any]:
    # Draft 4, like API Gateway: 1.0 is not an integer.
    compiled: Callable[..., Any] = fastjsonschema.compile(
        {"$schema": "http://json-schema.org/draft-04/schema#", **schema}
    )
    return compiled


_ROUTES: Final[Mapping[tuple[Any, Any], Route]] = {(route.method, route.path): route for route in ROUTES}
_QUERIES: Final = {route.name: _compile(route.query or _NO_QUERY) for route in ROUTES}
_BODIES: Final = {route.name: _compile(REQUESTS[route.body]) for route in ROUTES if route.body}
