"""What the REST API tells when it fails, and what its logs keep."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from api.contract import ErrorCode
from local.api_client import ApiClient
from local.sandbox import Sandbox
from tests.e2e.api.api_requests import OTHER_ADDRESS, announce, assert_error
from tests.e2e.eventually import eventually


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"{}", b'{"filename": "a", "content_type": "text/plain", "size": 1}'],
    ids=["nothing", "no JSON", "no object", "incomplete", "of another type"],
)
def test_gateway_rejects_invalid_bodies_without_the_function(sandbox: Sandbox, client: ApiClient, body: bytes) -> None:
    with _broken_function(sandbox):  # which would answer with another error
        assert_error(client.request("POST", "photos", body), ErrorCode.INVALID_REQUEST)


@contextmanager
def _broken_function(sandbox: Sandbox) -> Iterator[None]:
    """The function cannot start: it is not told where the catalogue is."""
    lambda_ = sandbox.client("lambda")
    (name,) = [
        it["FunctionName"] for it in lambda_.list_functions()["Functions"] if it["Handler"] == "api.handler.handler"
    ]
    variables = lambda_.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    without = {variable: value for variable, value in variables.items() if variable != "CATALOGUE_TABLE"}
    lambda_.update_function_configuration(FunctionName=name, Environment={"Variables": without})
    yield
    lambda_.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


def test_error_of_a_function_that_cannot_start_reveals_nothing(sandbox: Sandbox, client: ApiClient) -> None:
    with _broken_function(sandbox):
        message = assert_error(client.request("GET", "photos"), ErrorCode.INTERNAL_ERROR)
    assert "CATALOGUE_TABLE" not in message
    assert client.request("GET", "photos").status == 200


def test_error_of_another_service_reveals_nothing(sandbox: Sandbox, client: ApiClient) -> None:
    iam = sandbox.client("iam")
    (role,) = [it["RoleName"] for it in iam.list_roles()["Roles"] if "Api-FunctionRole" in it["RoleName"]]
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = json.dumps(iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"])
    without = document.replace('"dynamodb:Query"', '"dynamodb:Scan"')
    assert without != document
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=without)
    try:
        message = assert_error(client.request("GET", "photos"), ErrorCode.INTERNAL_ERROR)
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=document)
    assert "dynamodb" not in message.lower() and "role" not in message


def test_access_log_contains_allowed_and_denied_requests(sandbox: Sandbox, url: str, client: ApiClient) -> None:
    client.request("DELETE", f"photos/{'a' * 32}")
    ApiClient(url, address=OTHER_ADDRESS).request("GET", f"photos/{'b' * 32}")
    s3 = sandbox.client("s3")
    (bucket,) = [it["Name"] for it in s3.list_buckets()["Buckets"] if "api-accesslogbucket" in it["Name"]]

    def lines() -> dict[str, Any]:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        entries = [entry for page in pages for entry in page["Contents"]]
        newest = sorted(entries, key=lambda entry: entry["LastModified"])[-20:]
        logged = [json.loads(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()) for entry in newest]
        return {line["path"][-1]: line for line in logged if line["path"][-2:] in ("aa", "bb")}

    eventually(lambda: lines().keys() == {"a", "b"})
    ours, theirs = lines()["a"], lines()["b"]
    assert (ours["ip"], ours["method"], ours["status"]) == ("127.0.0.1", "DELETE", "404")
    assert ours["key"] == sandbox.outputs["Api"]["ApiKeyId"]
    assert (theirs["ip"], theirs["status"], theirs["error"]) == (OTHER_ADDRESS, "403", "ACCESS_DENIED")


@pytest.mark.guarantee("Closed")
def test_api_key_is_in_no_log(sandbox: Sandbox, client: ApiClient, key: str) -> None:
    announce(client)
    client.request("POST", "albums", b"{")
    s3 = sandbox.client("s3")
    (bucket,) = [it["Name"] for it in s3.list_buckets()["Buckets"] if "api-accesslogbucket" in it["Name"]]
    function = sandbox.log_lines("Api")
    access = [
        s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read().decode()
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        for entry in page["Contents"]
    ]
    assert function and access
    assert [line for line in (*function, *access) if key in line] == []
