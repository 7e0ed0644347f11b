"""The OpenAPI document, generated from the API contract.

`python -m stacks.support.openapi` writes `docs/openapi.json`.
"""

import argparse
import json
from http import HTTPStatus
from itertools import groupby
from pathlib import Path
from typing import Any

from api.contract import COMMON_ERRORS, ID_PATTERN, REQUESTS, RESPONSES, ROUTES, ErrorCode, Route

FILE = Path(__file__).parents[2] / "docs" / "openapi.json"

_KEY = "ApiKey"


def document() -> dict[str, Any]:
    """Return the document as JSON data."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Other Compute",
            "version": "1",
            "description": "Upload, list, and delete photos, and create albums. Requests must come from an address in "
            "`allowed_cidr`. Writes also require an API key, which `make key` prints.",
        },
        "servers": [
            {
                "url": "{ApiUrl}",
                "variables": {"ApiUrl": {"default": "/", "description": "The `ApiUrl` output of the `Api` stack"}},
            }
        ],
        "paths": paths,
        "components": {
            "schemas": {**REQUESTS, **RESPONSES},
            "securitySchemes": {_KEY: {"type": "apiKey", "in": "header", "name": "X-Api-Key"}},
        },
    }


def text() -> str:
    """Return the content of the file."""
    return json.dumps(document(), indent=2) + "\n"


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {"operationId": route.name, "summary": route.summary}
    if route.needs_key:
        operation["security"] = [{_KEY: []}]
    if parameters := _parameters(route):
        operation["parameters"] = parameters
    if route.body:
        operation["requestBody"] = {"required": True, "content": _json(route.body)}
    done: dict[str, Any] = {"description": HTTPStatus(route.status).phrase}
    if route.response:
        done["content"] = _json(route.response)
    operation["responses"] = {str(route.status): done, **_errors(*route.errors, *COMMON_ERRORS)}
    return operation


def _parameters(route: Route) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = []
    if "{id}" in route.path:
        schema = {"type": "string", "pattern": ID_PATTERN}
        parameters.append({"name": "id", "in": "path", "required": True, "schema": schema})
    for name, described in (route.query or {}).get("properties", {}).items():
        schema = dict(described)
        parameters.append({"name": name, "in": "query", "description": schema.pop("description"), "schema": schema})
    return parameters


def _errors(*codes: ErrorCode) -> dict[str, Any]:
    """One response for each status, because OpenAPI identifies responses by status."""
    by_status = groupby(sorted(codes, key=lambda code: code.status), key=lambda code: code.status)
    return {
        str(status): {
            "description": ". ".join(f"`{code}`: {code.description}" for code in same),
            "content": _json("Error"),
        }
        for status, same in by_status
    }


def _json(schema: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m stacks.support.openapi", description=__doc__).parse_args()
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text())
