"""Errors of the REST API reveal nothing, and its logs are complete and contain no key."""

import json
from typing import Any

import pytest

from api.contract import ErrorCode
from local.api_client import ApiClient
from local.sandbox import Sandbox
from tests.e2e.api.api_requests import OTHER_ADDRESS, assert_error, client_at_other_address, register_upload
from tests.e2e.eventually import eventually
from tests.e2e.failure_scenarios import api_function_name, missing_catalogue


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"{}", b'{"filename": "a", "content_type": "text/plain", "size": 1}'],
    ids=["empty", "invalid JSON", "array", "missing fields", "unsupported type"],
)
def test_gateway_rejects_invalid_bodies_without_the_function(sandbox: Sandbox, client: ApiClient, body: bytes) -> None:
    # The function cannot start, so it would return another error.
    with missing_catalogue(sandbox, api_function_name(sandbox), table=None):
        message = assert_error(client.request("POST", "photos", body), ErrorCode.INVALID_REQUEST)
    assert "content_type" in message or b"content_type" not in body


def test_error_of_a_function_that_cannot_start_reveals_nothing(sandbox: Sandbox, client: ApiClient) -> None:
    with missing_catalogue(sandbox, api_function_name(sandbox), table=None):
        message = assert_error(client.request("GET", "photos"), ErrorCode.INTERNAL_ERROR)
    assert "CATALOGUE_TABLE" not in message
    assert client.request("GET", "photos").status == 200


def _access_log(sandbox: Sandbox) -> list[str]:
    """Return the records of the access log, oldest first."""
    s3 = sandbox.client("s3")
    (bucket,) = [it["Name"] for it in s3.list_buckets()["Buckets"] if "api-accesslogbucket" in it["Name"]]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    entries = [entry for page in pages for entry in page.get("Contents", [])]
    return [
        s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read().decode()
        for entry in sorted(entries, key=lambda entry: entry["LastModified"])
    ]


def test_access_log_contains_allowed_and_denied_requests(sandbox: Sandbox, url: str, client: ApiClient) -> None:
    client.request("DELETE", f"photos/{'a' * 32}")
    client_at_other_address(url).request("GET", f"photos/{'b' * 32}")

    def records() -> dict[str, Any]:
        # API Gateway does not escape paths, so the records of other tests can be invalid JSON.
        found = [json.loads(line) for line in _access_log(sandbox) if "/photos/aaaa" in line or "/photos/bbbb" in line]
        return {record["path"][-1]: record for record in found}

    eventually(lambda: records().keys() == {"a", "b"})
    allowed, denied = records()["a"], records()["b"]
    assert (allowed["ip"], allowed["method"], allowed["status"]) == ("127.0.0.1", "DELETE", "404")
    assert allowed["key"] == sandbox.outputs["Api"]["ApiKeyId"]
    assert (denied["ip"], denied["status"], denied["error"]) == (OTHER_ADDRESS, "403", "ACCESS_DENIED")


@pytest.mark.guarantee("Closed")
def test_api_key_is_in_no_log(sandbox: Sandbox, client: ApiClient, key: str) -> None:
    register_upload(client)
    client.request("POST", "albums", b"{")
    function, access = sandbox.log_lines("Api"), _access_log(sandbox)
    assert function and access
    assert [line for line in (*function, *access) if key in line] == []
