"""The OpenAPI document: a true one, and the one in the repository."""

import jsonschema_rs
import pytest
import schemathesis

from api.contract import REQUESTS, RESPONSES, ROUTES
from stacks.support.openapi import FILE, document, text


def test_the_file_is_what_the_contract_says() -> None:
    assert FILE.read_text() == text(), "run `python -m stacks.support.openapi`"


def test_tools_read_every_operation() -> None:
    read = schemathesis.openapi.from_dict(document())
    read.validate()
    assert {(method.upper(), path) for path in read for method in read[path]} == {(r.method, r.path) for r in ROUTES}


@pytest.mark.parametrize("name", [*REQUESTS, *RESPONSES])
def test_schemas_are_of_the_draft_that_openapi_has(name: str) -> None:
    jsonschema_rs.meta.validate(document()["components"]["schemas"][name])


def test_the_key_is_asked_for_where_the_gateway_does() -> None:
    paths = document()["paths"]
    for route in ROUTES:
        assert ("security" in paths[route.path][route.method.lower()]) == route.needs_key


def test_errors_of_one_status_are_one_response() -> None:
    responses = document()["paths"]["/albums"]["post"]["responses"]
    assert set(responses) == {"202", "400", "403", "409", "413", "415", "429", "500", "504"}
    assert "`unknown_photos`" in responses["400"]["description"]
    assert "`invalid_request`" in responses["400"]["description"]
