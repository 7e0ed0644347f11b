"""The contract is one that API Gateway takes, and that says what is so."""

import re
from collections.abc import Iterator
from typing import Any

import fastjsonschema
import pytest

from api.contract import COMMON_ERRORS, REQUESTS, RESPONSES, ROUTES, ErrorCode, Schema, error_body

# What API Gateway takes in a model: it refuses words that it does not know. Less than it takes, in fact.
GATEWAY_WORDS = {
    "additionalProperties",
    "default",
    "description",
    "enum",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "pattern",
    "properties",
    "required",
    "type",
    "uniqueItems",
}


def schemas_in(schema: Schema) -> Iterator[Schema]:
    """This schema and all within it."""
    yield schema
    for inner in schema.get("properties", {}).values():
        yield from schemas_in(inner)
    if "items" in schema:
        yield from schemas_in(schema["items"])


@pytest.mark.parametrize("name", REQUESTS)
def test_what_is_taken_is_said_in_words_that_the_gateway_knows(name: str) -> None:
    words = {word for schema in schemas_in(REQUESTS[name]) for word in schema}
    assert words <= GATEWAY_WORDS
    fastjsonschema.compile({"$schema": "http://json-schema.org/draft-04/schema#", **REQUESTS[name]})
    assert re.fullmatch("[A-Za-z0-9]+", name), "names of models have no other characters"


def test_all_that_is_named_is_there() -> None:
    assert {route.body for route in ROUTES if route.body} == set(REQUESTS)
    answered = {route.response for route in ROUTES if route.response} | {"Error"}
    referred = {
        inner["$ref"].rpartition("/")[2]
        for schema in RESPONSES.values()
        for inner in schemas_in(schema)
        if "$ref" in inner
    }
    assert answered | referred == set(RESPONSES)


def test_names_and_requests_are_unique() -> None:
    assert len({route.name for route in ROUTES}) == len(ROUTES)
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)


def test_writing_needs_a_key_and_reading_does_not() -> None:
    assert {route.name for route in ROUTES if route.needs_key} == {
        route.name for route in ROUTES if route.method != "GET"
    }


def test_each_error_is_of_some_route_and_in_the_one_shape() -> None:
    assert {code for route in ROUTES for code in (*route.errors, *COMMON_ERRORS)} == set(ErrorCode)
    validate: Any = fastjsonschema.compile(dict(RESPONSES["Error"]))
    for code in ErrorCode:
        assert 400 <= code.status < 600
        validate(error_body(code, "Why."))
