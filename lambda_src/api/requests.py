"""Events of the REST API → requests of the contract. What the contract does not allow ends here, with its reason.

The gateway checks bodies by the same schemas. Here they are checked again, with all that a gateway does not: it takes
a body of another content type as it comes, and knows no types of query parameters.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import fastjsonschema

from api.contract import ID_PATTERN, MAX_BODY, REQUESTS, ROUTES, ErrorCode, Route, Schema

_LONGEST_MESSAGE: Final = 300  # characters: it may quote what was sent
_NO_QUERY: Final[Schema] = {"type": "object", "additionalProperties": False}


class RequestError(Exception):
    """The answer to this request is an error. `message` is a sentence for people."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Request:
    """What is asked for, in the contract's terms: defaults are filled in.

    id: of the photo or album in the path, if the route has one
    """

    route: Route
    id: str = ""
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)


def parse_request(event: Mapping[str, Any]) -> Request:
    """The request of an event of a REST API with Lambda proxy integration. Raises RequestError."""
    route = _ROUTES.get((event.get("httpMethod"), event.get("resource")))
    if route is None:
        raise RequestError(ErrorCode.NOT_FOUND, "There is nothing here by this method and path.")
    return Request(
        route,
        id=_id(event) if "{id}" in route.path else "",
        query=_query(route, event),
        body=_body(route, event) if route.body else {},
    )


def _id(event: Mapping[str, Any]) -> str:
    text = (event.get("pathParameters") or {}).get("id") or ""
    if not re.fullmatch(ID_PATTERN.strip("^$"), text):
        raise RequestError(ErrorCode.NOT_FOUND, "This is not an id.")
    return str(text)


def _query(route: Route, event: Mapping[str, Any]) -> Mapping[str, Any]:
    given: Mapping[str, list[str]] = event.get("multiValueQueryStringParameters") or {}
    for name, values in given.items():
        if len(values) != 1:
            raise RequestError(ErrorCode.INVALID_REQUEST, _cut(f"query.{name} must be given once"))
    properties = (route.query or _NO_QUERY).get("properties", {})
    typed = {name: _typed(value, properties.get(name, {})) for name, (value,) in given.items()}
    return _check(_QUERIES[route.name], typed, "query")


def _typed(text: str, schema: Schema) -> int | str:
    is_integer = schema.get("type") == "integer" and re.fullmatch("-?[0-9]{1,9}", text)
    return int(text) if is_integer else text


def _body(route: Route, event: Mapping[str, Any]) -> Mapping[str, Any]:
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    content_type = headers.get("content-type") or "application/json"  # API Gateway takes it for this, too
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise RequestError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "The body must be application/json.")
    text = event.get("body") or ""
    if len(text) > 2 * MAX_BODY:  # so much in Base64 is surely too much; then it need not be decoded
        raise _too_large()
    try:
        raw = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
        if len(raw) > MAX_BODY:
            raise _too_large()
        body = json.loads(raw.decode())
        json.dumps(body, ensure_ascii=False).encode()  # "\ud800" is JSON, but no text
    except (ValueError, RecursionError) as error:
        raise RequestError(ErrorCode.INVALID_REQUEST, "The body must be JSON, in UTF-8.") from error
    return _check(_BODIES[route.name], body, "body")


def _too_large() -> RequestError:
    return RequestError(ErrorCode.TOO_LARGE, f"The body may have {MAX_BODY >> 10} KiB.")


def _check(validate: Callable[..., Any], given: Any, name: str) -> Mapping[str, Any]:
    try:
        checked: Mapping[str, Any] = validate(given, name_prefix=name)
    except fastjsonschema.JsonSchemaValueException as error:
        raise RequestError(ErrorCode.INVALID_REQUEST, _cut(error.message)) from error
    return checked


def _cut(message: str) -> str:
    return message if len(message) <= _LONGEST_MESSAGE else f"{message[:_LONGEST_MESSAGE]} …"


def _compiled(schema: Schema) -> Callable[..., Any]:
    # Draft 4 as in API Gateway, where 1.0 is not an integer.
    compiled: Callable[..., Any] = fastjsonschema.compile(
        {"$schema": "http://json-schema.org/draft-04/schema#", **schema}
    )
    return compiled


_ROUTES: Final[Mapping[tuple[Any, Any], Route]] = {(route.method, route.path): route for route in ROUTES}
_QUERIES: Final = {route.name: _compiled(route.query or _NO_QUERY) for route in ROUTES}
_BODIES: Final = {route.name: _compiled(REQUESTS[route.body]) for route in ROUTES if route.body}
