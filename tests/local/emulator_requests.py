"""Requests to an emulator: of clients, with a signature, and with a forged one."""

import datetime
import io
import json
import urllib.parse
import zipfile
from collections.abc import Mapping
from typing import Any, NamedTuple

import boto3
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from local.emulator import REGION, Emulator

_ALLOW_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


class Call(NamedTuple):
    """A call of an AWS API.

    Attributes:
        service: The service in the credential scope.
        path: With the query.
    """

    service: str
    method: str
    path: str
    body: bytes = b""


def root_credentials(emulator: Emulator) -> Credentials:
    """Return the credentials of the root user."""
    return Credentials(emulator.access_key_id, emulator.secret_access_key)


def create_client(emulator: Emulator, service: str, key: Credentials | None = None) -> Any:
    """Return the boto3 client of a service, by default as root of the account."""
    key = key or root_credentials(emulator)
    return boto3.client(  # type: ignore[call-overload]  # the type checker does not know the name
        service,
        endpoint_url=emulator.endpoint,
        region_name=REGION,
        aws_access_key_id=key.access_key,
        aws_secret_access_key=key.secret_key,
        aws_session_token=key.token,
        config=Config(proxies={}, signature_version="s3v4" if service == "s3" else None),
    )


def create_role(emulator: Emulator, name: str, *statements: Mapping[str, object]) -> str:
    """Create a role that every principal can assume, by default with all permissions. Returns its ARN."""
    iam = create_client(emulator, "iam")
    trust = {"Statement": {"Effect": "Allow", "Principal": {"AWS": "*", "Service": "*"}, "Action": "sts:AssumeRole"}}
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements or [_ALLOW_ALL]})
    iam.put_role_policy(RoleName=name, PolicyName="calls", PolicyDocument=policy)
    return arn


def create_function(emulator: Emulator, name: str, code: str, role_arn: str) -> None:
    """Create a function whose code has the function `handler`."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("index.py", code)
    create_client(emulator, "lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="index.handler",
        Role=role_arn,
        Code={"ZipFile": package.getvalue()},
    )


def assume_role(emulator: Emulator, arn: str) -> Credentials:
    """Return the credentials of a new session of a role."""
    session = create_client(emulator, "sts").assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    return Credentials(session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])


def sign(emulator: Emulator, signer: type, key: Credentials, call: Call, **headers: str) -> AWSRequest:
    """Return the request of a call, signed by a class of `botocore.auth`."""
    if call.body.startswith(b"Action"):
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    # A query signature covers no body, except by other services than S3 that nothing here calls with one.
    body = call.body if signer is SigV4Auth else b""
    request = AWSRequest(call.method, emulator.endpoint + call.path, headers, body)
    signer(key, call.service, REGION).add_auth(request)
    return request


def forge(path: str, key: str, service: str) -> str:
    """Return a path with the query parameters of a presigned URL, whose signature is not valid."""
    now = datetime.datetime.now(datetime.UTC)
    parameters = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{key}/{now:%Y%m%d}/{REGION}/{service}/aws4_request",
        "X-Amz-Date": f"{now:%Y%m%dT%H%M%SZ}",
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Signature": "0" * 64,
        "X-Amz-Expires": "900",
    }
    return f"{path}{'&' if '?' in path else '?'}{urllib.parse.urlencode(parameters)}"


def send(
    emulator: Emulator, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> urllib3.BaseHTTPResponse:
    """Send a request as it is."""
    return urllib3.request(
        method, emulator.endpoint + path, body=body or None, headers=headers or {}, retries=False, timeout=30
    )


def send_signed(request: AWSRequest, body: bytes) -> urllib3.BaseHTTPResponse:
    """Send a signed request with this body."""
    return urllib3.request(
        str(request.method), str(request.url), body=body or None, headers=dict(request.headers), retries=False
    )
