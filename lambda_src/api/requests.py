"""Parses and validates API Gateway events.

API Gateway validates bodies against the same schemas. The function validates them again, because API Gateway passes
bodies with another content type through, and does not check the types of query parameters. The messages of the function
name the field, the value, and the allowed values.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import fastjsonschema

from api.contract import ID_PATTERN, MAX_BODY, REQUESTS, ROUTES, ErrorCode, Route, Schema

# Characters: a message can quote the request.
_MAX_MESSAGE: Final = 500
_MAX_VALUE: Final = 100
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
        found = f"{event.get('httpMethod')} {event.get('path')}"
        raise RequestError(
            ErrorCode.NOT_FOUND, _truncate(f"No route matches {found}. docs/openapi.json lists the routes.")
        )
    return Request(
        route,
        id=_id(event) if "{id}" in route.path else "",
        query=_query(route, event),
        body=_body(route, event) if route.body else {},
    )


def _id(event: Mapping[str, Any]) -> str:
    text = (event.get("pathParameters") or {}).get("id") or ""
    if not re.fullmatch(ID_PATTERN.strip("^$"), text):
        message = f"id in the path must have 32 digits (0-9, a-f), but received {_quote(text)}"
        raise RequestError(ErrorCode.NOT_FOUND, message)
    return str(text)


def _query(route: Route, event: Mapping[str, Any]) -> Mapping[str, Any]:
    given: Mapping[str, list[str]] = event.get("multiValueQueryStringParameters") or {}
    for name, values in given.items():
        if len(values) != 1:
            message = f"query.{name} must occur once, but received {_quote(values)}"
            raise RequestError(ErrorCode.INVALID_REQUEST, _truncate(message))
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
        message = f"The content type must be application/json, but received {_quote(content_type)}"
        raise RequestError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, message)
    text = event.get("body") or ""
    if len(text) > 2 * MAX_BODY:  # too large even if it is Base64, so it need not be decoded
        raise _too_large(len(text))
    try:
        raw = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
        if len(raw) > MAX_BODY:
            raise _too_large(len(raw))
        body = json.loads(raw.decode())
        json.dumps(body, ensure_ascii=False).encode()  # "\ud800" is valid JSON, but not valid text
    except (ValueError, RecursionError) as error:
        reason = f": {error}" if isinstance(error, json.JSONDecodeError) else ""
        raise RequestError(ErrorCode.INVALID_REQUEST, f"The body must be a JSON object in UTF-8{reason}") from error
    return _validate(_BODIES[route.name], body, "body")


def _too_large(size: int) -> RequestError:
    return RequestError(ErrorCode.TOO_LARGE, f"The body can have at most {MAX_BODY} bytes, but has {size}")


def _validate(validate: Callable[..., Any], given: Any, name: str) -> Mapping[str, Any]:
    try:
        valid: Mapping[str, Any] = validate(given, name_prefix=name)
    except fastjsonschema.JsonSchemaValueException as error:
        raise RequestError(ErrorCode.INVALID_REQUEST, _truncate(_describe(error))) from error
    return valid


def _describe(error: fastjsonschema.JsonSchemaValueException) -> str:
    """Return a sentence with the field, the allowed values, and the value."""
    properties = (error.definition or {}).get("properties", {})
    if error.rule == "required":
        missing = [name for name in error.rule_definition if name not in error.value]
        return f"{error.name}.{missing[0]} is required"
    if error.rule == "additionalProperties":
        unknown = next(name for name in error.value if name not in properties)
        return f"{error.name} can contain {', '.join(properties) or 'nothing'}, but received {_quote(unknown)}"
    return f"{error.message}, but received {_quote(error.value)}"


def _quote(value: Any) -> str:
    return _truncate(json.dumps(value), _MAX_VALUE)


def _truncate(text: str, maximum: int = _MAX_MESSAGE) -> str:
    return text if len(text) <= maximum else f"{text[:maximum]} …"


def _compile(schema: Schema) -> Callable[..., Any]:
    # Draft 4, like API Gateway: 1.0 is not an integer.
    compiled: Callable[..., Any] = fastjsonschema.compile(
        {"$schema": "http://json-schema.org/draft-04/schema#", **schema}
    )
    return compiled


_ROUTES: Final[Mapping[tuple[Any, Any], Route]] = {(route.method, route.path): route for route in ROUTES}
_QUERIES: Final = {route.name: _compile(route.query or _NO_QUERY) for route in ROUTES}
_BODIES: Final = {route.name: _compile(REQUESTS[route.body]) for route in ROUTES if route.body}
