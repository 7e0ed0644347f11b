"""The OpenAPI document: valid, complete, and up to date in the repository."""

import jsonschema_rs
import pytest
import schemathesis

from api.contract import REQUESTS, RESPONSES, ROUTES
from stacks.support.openapi import FILE, document, text


def test_file_is_up_to_date() -> None:
    assert FILE.read_text() == text(), "run `python -m stacks.support.openapi`"


def test_document_is_valid_and_contains_every_route() -> None:
    schema = schemathesis.openapi.from_dict(document())
    schema.validate()
    operations = {(method.upper(), path) for path in schema for method in schema[path]}
    assert operations == {(route.method, route.path) for route in ROUTES}


@pytest.mark.parametrize("name", [*REQUESTS, *RESPONSES])
def test_schemas_are_valid_for_openapi_31(name: str) -> None:
    jsonschema_rs.meta.validate(document()["components"]["schemas"][name])


def test_operations_require_a_key_where_the_gateway_does() -> None:
    paths = document()["paths"]
    for route in ROUTES:
        assert ("security" in paths[route.path][route.method.lower()]) == route.needs_key
