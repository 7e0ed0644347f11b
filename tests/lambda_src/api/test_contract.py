"""The contract is consistent."""

from collections.abc import Iterator
from typing import Any

import fastjsonschema
import pytest

from api.contract import COMMON_ERRORS, REQUESTS, RESPONSES, ROUTES, ErrorCode, Schema, error_body

# Keywords that JSON Schema draft 4 and the current draft interpret alike (a subset).
KEYWORDS = {
    *("additionalProperties", "default", "description", "enum", "items", "maxItems", "maxLength", "maximum"),
    *("minItems", "minLength", "minimum", "pattern", "properties", "required", "type", "uniqueItems"),
}


def subschemas(schema: Schema) -> Iterator[Schema]:
    """Yield this schema and all schemas in it."""
    yield schema
    for inner in schema.get("properties", {}).values():
        yield from subschemas(inner)
    if "items" in schema:
        yield from subschemas(schema["items"])


@pytest.mark.parametrize("name", REQUESTS)
def test_request_schemas_mean_the_same_in_both_drafts(name: str) -> None:
    assert {keyword for schema in subschemas(REQUESTS[name]) for keyword in schema} <= KEYWORDS
    fastjsonschema.compile({"$schema": "http://json-schema.org/draft-04/schema#", **REQUESTS[name]})


def test_routes_use_all_schemas_and_only_those() -> None:
    assert {route.body for route in ROUTES if route.body} == set(REQUESTS)
    used = {route.response for route in ROUTES if route.response} | {"Error"}
    for schema in RESPONSES.values():
        used |= {inner["$ref"].rpartition("/")[2] for inner in subschemas(schema) if "$ref" in inner}
    assert used == set(RESPONSES)


def test_route_names_and_paths_are_unique() -> None:
    assert len({route.name for route in ROUTES}) == len(ROUTES)
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)


def test_every_error_belongs_to_a_route_and_matches_the_error_schema() -> None:
    assert {code for route in ROUTES for code in (*route.errors, *COMMON_ERRORS)} == set(ErrorCode)
    validate: Any = fastjsonschema.compile(dict(RESPONSES["Error"]))
    for code in ErrorCode:
        assert 400 <= code.status < 600
        validate(error_body(code, "Message."))
