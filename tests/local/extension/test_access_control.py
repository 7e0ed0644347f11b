"""Requests to the emulator that other accounts of the machine and other websites can send, over plain HTTP.

`tests/e2e/gallery_page/test_foreign_websites.py` sends them from a browser.
"""

import datetime
import hashlib
import json
from collections.abc import Iterator

import pytest
import urllib3
from botocore.auth import S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.credentials import Credentials

from local.emulator import ACCOUNT, REGION, Emulator, running_emulator
from tests.e2e.eventually import eventually
from tests.local.emulator_requests import (
    Call,
    create_client,
    create_function,
    create_role,
    forge,
    root_credentials,
    send,
    send_signed,
    sign,
)

pytestmark = pytest.mark.slow  # starts an emulator

BUCKET = "private"
_VARIABLE = "SECRET_OF_THE_SHELL"
_PROGRAM = "import os\ndef handler(event, context):\n    return dict(os.environ)\n"

CALLS = [
    Call("s3", "GET", "/"),
    Call("s3", "GET", f"/{BUCKET}"),
    Call("s3", "GET", f"/{BUCKET}/object"),
    Call("s3", "PUT", f"/{BUCKET}/new", b"x"),
    Call("s3", "PUT", "/another"),
    Call("s3", "POST", f"/{BUCKET}?delete", b"<Delete><Object><Key>object</Key></Object></Delete>"),
    Call("s3", "GET", f"/v20180820/tags/arn:aws:s3:::{BUCKET}"),
    Call("lambda", "GET", "/2015-03-31/functions/"),
    Call("lambda", "GET", "/2015-03-31/functions/environment"),
    Call("lambda", "POST", "/2015-03-31/functions", b"{}"),
    Call("lambda", "POST", "/2015-03-31/functions/environment/invocations", b"{}"),
    Call("apigateway", "GET", "/apikeys?includeValues=true"),
    Call("apigateway", "GET", "/restapis"),
    Call("iam", "POST", "/", b"Action=ListUsers&Version=2010-05-08"),
    Call("sts", "POST", "/", b"Action=GetCallerIdentity&Version=2011-06-15"),
    Call("sts", "POST", "/", f"Action=AssumeRole&RoleArn=arn:aws:iam::{ACCOUNT}:role/role&RoleSessionName=x".encode()),
    Call("sqs", "POST", "/", b"Action=ListQueues&Version=2012-11-05"),
    Call("cloudformation", "POST", "/", b"Action=ListStacks&Version=2010-05-15"),
    Call("ecr", "GET", "/v2/_catalog"),
    Call("batch", "POST", "/v1/listjobs", b"{}"),
]

# Routes of the emulator itself, which need no signature there.
EMULATOR_ROUTES = [
    ("POST", "/_ministack/reset"),
    ("POST", "/_ministack/config"),
    ("GET", "/_ministack/health"),
    ("GET", "/_localstack/health"),
    ("GET", "/health"),
    ("GET", "/_ministack/sqs/messages"),
    ("GET", "/_ministack/ses/messages"),
    ("GET", "/_ministack/lambda-code/environment"),
    ("GET", f"/_ministack/lambda-code/{ACCOUNT}/{REGION}/environment"),
    ("POST", "/_ministack/rds/iam-auth"),
]


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """An emulator with an object in a bucket, and a function that returns its environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(_VARIABLE, "hidden")
        with running_emulator() as emulator:
            s3 = create_client(emulator, "s3")
            s3.create_bucket(Bucket=BUCKET)
            s3.put_object(Bucket=BUCKET, Key="object", Body=b"content")
            create_function(emulator, "environment", _PROGRAM, create_role(emulator, "role"))
            yield emulator


def _function_environment(emulator: Emulator) -> dict[str, str]:
    response = create_client(emulator, "lambda").invoke(FunctionName="environment")
    environment: dict[str, str] = json.load(response["Payload"])
    return environment


def _state(emulator: Emulator) -> tuple[list[str], list[str]]:
    """Return what the denied calls would change."""
    s3 = create_client(emulator, "s3")
    objects = s3.list_objects_v2(Bucket=BUCKET)["Contents"]
    return [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]], [entry["Key"] for entry in objects]


@pytest.fixture(autouse=True)
def nothing_changes(emulator: Emulator) -> Iterator[None]:
    before = _state(emulator)
    yield
    assert _state(emulator) == before == ([BUCKET], ["object"])


@pytest.mark.parametrize("signer", [SigV4Auth, SigV4QueryAuth, S3SigV4QueryAuth])
def test_requests_with_other_credentials_are_denied(emulator: Emulator, signer: type) -> None:
    session = _function_environment(emulator)
    token = session["AWS_SESSION_TOKEN"]
    credentials = {
        "the account": Credentials(ACCOUNT, "local"),
        "the account with the emulator's secret": Credentials(ACCOUNT, "test"),
        "no key with the emulator's secret": Credentials("", "test"),
        "another account": Credentials("000000000000", "test"),
        "the default of the emulator": Credentials("test", "test"),
        "a guess": Credentials(f"AKIA{'A' * 16}", "A" * 40),
        "root with a wrong secret": Credentials(emulator.access_key_id, "local"),
        "a session with a wrong secret": Credentials(session["AWS_ACCESS_KEY_ID"], "local", token),
        "a session without its token": Credentials(session["AWS_ACCESS_KEY_ID"], session["AWS_SECRET_ACCESS_KEY"]),
    }
    for name, key in credentials.items():
        for call in CALLS:
            request = sign(emulator, signer, key, call)
            response = send_signed(request, call.body)
            assert response.status in (400, 403), (name, call, response.status, response.data)
            assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("signer", [SigV4Auth, SigV4QueryAuth, S3SigV4QueryAuth])
def test_requests_of_root_are_allowed(emulator: Emulator, signer: type) -> None:
    """Show that the denied requests of the other tests fail for their credentials only."""
    root = root_credentials(emulator)
    for call in CALLS:
        fits = signer is SigV4Auth or (call.service == "s3") == (signer is S3SigV4QueryAuth)
        if fits and call.method == "GET" and ":" not in call.path:
            response = send_signed(sign(emulator, signer, root, call), call.body)
            assert response.status == 200, (call, response.data)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.method} {call.path}")
def test_requests_without_a_valid_signature_are_denied(emulator: Emulator, call: Call) -> None:
    service, method, path, body = call
    now = datetime.datetime.now(datetime.UTC)
    separator = "&" if "?" in path else "?"

    root = emulator.access_key_id
    scope = f"{root}/{now:%Y%m%d}/{REGION}/{service}/aws4_request"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for attempt, headers in (
        (path, {}),
        (path, {"Authorization": "Bearer x"}),
        (path, {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}"}),
        (path, {"Authorization": f"AWS {root}:x", "Date": f"{now:%a, %d %b %Y %H:%M:%S GMT}"}),
        (f"{path}{separator}X-Amz-Credential={scope}&X-Amz-Signature=00", {"Content-Type": "text/plain"}),
        (f"{path}{separator}AWSAccessKeyId={root}&Signature=x&Expires=9999999999", {}),
        (forge(path, root, service), {}),
        (forge(path, "", service), {}),
        (forge(path, root, "s3"), {}),
        (forge(path, root, "s3"), {"Authorization": "Bearer x"}),
    ):
        response = send(emulator, method, attempt, body, form | headers if body.startswith(b"Action") else headers)
        assert response.status in (400, 403), (attempt, headers, response.status, response.data)


def test_path_of_an_unknown_load_balancer_leads_to_no_service(emulator: Emulator) -> None:
    now = datetime.datetime.now(datetime.UTC)
    session = _function_environment(emulator)["AWS_ACCESS_KEY_ID"]  # presigned links of the API contain such an ID
    scope = f"{session}/{now:%Y%m%d}/{REGION}/s3/aws4_request"
    path = f"/_alb/unknown?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={scope}&X-Amz-Signature=00"
    headers = {"Authorization": "Bearer x", "X-Amz-Target": "DynamoDB_20120810.ListTables"}
    assert send(emulator, "POST", path, b"{}", headers).status == 404


@pytest.mark.parametrize(("method", "path"), EMULATOR_ROUTES)
def test_routes_of_the_emulator_are_not_available(emulator: Emulator, method: str, path: str) -> None:
    request = sign(emulator, SigV4Auth, root_credentials(emulator), Call("s3", method, path))
    for headers in ({}, dict(request.headers)):
        assert send(emulator, method, path, headers=headers).status == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "attacker.example"},
        {"Host": "attacker.example:{port}"},
        {"Host": "127.0.0.1"},
        {"Host": "127.0.0.1.attacker.example:{port}"},
        {"Host": "attacker.localhost:{port}"},
        {"Host": f"{BUCKET}.s3.localhost:{{port}}"},
        {"Origin": "http://attacker.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "https://127.0.0.1:{port}"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_signed_request_of_a_foreign_website_is_rejected(emulator: Emulator, headers: dict[str, str]) -> None:
    root = root_credentials(emulator)
    headers = {name: value.format(port=emulator.port) for name, value in headers.items()}
    for call in (Call("lambda", "GET", "/2015-03-31/functions/"), Call("s3", "GET", "/")):
        request = sign(emulator, SigV4Auth, root, call, **headers)
        response = send(emulator, call.method, call.path, headers=dict(request.headers))
        assert response.status == 403 and b"sandbox" in response.data
        assert "access-control-allow-origin" not in response.headers
        request = sign(emulator, SigV4Auth, root, call)
        for host in (f"localhost:{emulator.port}", f"127.0.0.1:{emulator.port}"):
            own = {"Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
            response = send(emulator, call.method, call.path, headers=dict(request.headers) | own)
            assert response.status == 200
            assert "access-control-allow-origin" not in response.headers


def test_preflight_of_a_service_api_is_rejected(emulator: Emulator) -> None:
    headers = {"Origin": emulator.endpoint, "Access-Control-Request-Method": "POST"}
    response = send(emulator, "OPTIONS", "/2015-03-31/functions/", headers=headers)
    assert response.status == 403 and "access-control-allow-origin" not in response.headers


def test_presigned_urls_and_forms_work_from_the_origins_of_the_bucket(emulator: Emulator) -> None:
    s3, origin = create_client(emulator, "s3"), "http://page.example"
    foreign = {"Origin": origin, "Sec-Fetch-Site": "cross-site"}
    url = s3.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "object"})
    link = urllib3.request("GET", url, headers=foreign)
    assert (link.status, link.data) == (200, b"content")
    assert "access-control-allow-origin" not in link.headers
    preflight = foreign | {"Access-Control-Request-Method": "POST"}
    assert send(emulator, "OPTIONS", f"/{BUCKET}", headers=preflight).status == 403
    rule = {"AllowedOrigins": [origin], "AllowedMethods": ["GET", "POST"]}
    s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [rule]})
    assert urllib3.request("GET", url, headers=foreign).headers["access-control-allow-origin"] == origin
    assert send(emulator, "OPTIONS", f"/{BUCKET}", headers=preflight).status == 200
    form = s3.generate_presigned_post(BUCKET, "uploaded")
    upload = {**form["fields"], "file": ("x", b"x", "image/jpeg")}
    assert urllib3.request("POST", form["url"], fields=upload, headers=foreign).status == 204
    forged = upload | {"x-amz-signature": "0" * 64}
    assert urllib3.request("POST", form["url"], fields=forged, headers=foreign).status == 403
    s3.delete_object(Bucket=BUCKET, Key="uploaded")
    s3.delete_bucket_cors(Bucket=BUCKET)


@pytest.mark.parametrize("key", [(ACCOUNT, "local"), (ACCOUNT, "test"), ("test", "test")], ids=str)
def test_forms_signed_with_other_credentials_are_denied(emulator: Emulator, key: tuple[str, str]) -> None:
    form = create_client(emulator, "s3", Credentials(*key)).generate_presigned_post(BUCKET, "uploaded")
    fields = {**form["fields"], "file": ("x", b"x", "image/jpeg")}
    assert urllib3.request("POST", form["url"], fields=fields).status == 403


def test_credentials_differ_between_runs_and_functions_get_random_sessions(emulator: Emulator) -> None:
    with running_emulator() as other:
        assert other.access_key_id != emulator.access_key_id
        assert other.secret_access_key != emulator.secret_access_key
    identity = create_client(emulator, "sts").get_caller_identity()
    assert identity["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert emulator.secret_access_key not in repr(emulator)
    session = _function_environment(emulator)
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:environment"
    guess = hashlib.sha256(f"{function}:arn:aws:iam::{ACCOUNT}:role/role".encode()).hexdigest()[:16].upper()
    assert session["AWS_ACCESS_KEY_ID"] != f"ASIA{guess}"


def test_function_sees_no_variable_of_the_shell_and_no_root_credential(emulator: Emulator) -> None:
    environment = _function_environment(emulator)
    assert _VARIABLE not in environment
    assert environment["HOME"] == str(emulator.folder)
    assert emulator.secret_access_key not in environment.values()
    assert emulator.access_key_id not in environment.values()


def test_files_of_the_sandbox_are_readable_by_the_user_only(emulator: Emulator) -> None:
    eventually(lambda: [*emulator.folder.rglob("*")])
    assert emulator.folder.stat().st_mode & 0o777 == 0o700
    assert emulator.log.parent.stat().st_mode & 0o777 == 0o700
    assert emulator.log.stat().st_mode & 0o777 == 0o600
    for file in emulator.folder.rglob("*"):
        assert not file.is_file() or file.stat().st_mode & 0o077 == 0, file
