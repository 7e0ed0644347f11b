"""Access control: only the user who started the sandbox, and the roles in it, can call AWS APIs.

The emulator accepts any 12-digit access key as root without a signature, answers any `Host`, and allows any origin to
read its responses. This module replaces the root keys by one random credential, verifies the signature of each request
before the emulator routes it, and rejects requests from other websites.

Stricter than AWS: browsers of other origins cannot call service APIs, and the APIs that AWS serves without a signature
are denied. As on AWS, other origins reach REST APIs, load balancers, and buckets, whose own CORS rules apply.
"""

import functools
import json
import os
import re
from typing import Any

import ministack.app
from ministack.core import iam_evaluator, responses, router
from ministack.services import s3, sts

_PORT = os.environ["GATEWAY_PORT"]
_HOSTS = {f"127.0.0.1:{_PORT}", f"localhost:{_PORT}"}
_ORIGINS = {f"http://{host}" for host in _HOSTS}

# The emulator's own routes that the sandbox uses. A custom resource receives its path, which is a random token.
_READY = "/_ministack/ready"
_CUSTOM_RESOURCE_RESPONSE = "/_ministack/cfn-response/"
_EMULATOR_ROUTES = re.compile(r"/(_ministack|_localstack)(/|$)|/health$")
# Tasks read their metadata without a signature, as on AWS. The token in the path is random.
_TASK_METADATA = re.compile(r"/v4/[A-Za-z0-9_-]{32,}(/|$)")

# The query parameters of a presigned URL, of signature versions 4 and 2.
_QUERY_CREDENTIALS = {"x-amz-algorithm", "x-amz-credential", "x-amz-signature", "awsaccesskeyid", "signature"}


def extend() -> None:
    """Register the root credential, and check each request before the emulator handles it."""
    _register_root_credential(os.environ.pop("ROOT_ACCESS_KEY_ID"), os.environ.pop("ROOT_SECRET_ACCESS_KEY"))
    _allow_checked_unsigned_requests()
    _reject_foreign_requests()
    _require_signature()
    _remove_cors_headers()


def _register_root_credential(access_key_id: str, secret: str) -> None:
    account = os.environ["MINISTACK_ACCOUNT_ID"]
    iam_evaluator.is_root_access_key = lambda key: False
    session = {"Arn": f"arn:aws:iam::{account}:root", "UserId": account, "AccountId": account, "PrincipalType": "Root"}
    sts.register_session(access_key_id, session | {"SecretAccessKey": secret, "SessionToken": None})


def _allow_checked_unsigned_requests() -> None:
    """Skip identity policies for the unsigned requests that `_require_signature` accepts, which have no identity."""
    enforce, check_credentials = iam_evaluator.enforce, iam_evaluator.check_credentials

    def enforce_if_signed(key: str, action: str, service: str, *args: Any, **more: Any) -> Any:
        if not key and (service == "s3" or action == "execute-api:Invoke"):
            return None
        return enforce(key, action, service, *args, **more)

    def check_if_signed(key: str, service: str | None = None) -> Any:
        return None if not key and service in ("s3", "ecs-metadata") else check_credentials(key, service)

    iam_evaluator.enforce = enforce_if_signed
    iam_evaluator.check_credentials = check_if_signed


def _reject_foreign_requests() -> None:
    serve = ministack.app.app

    async def serve_own(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":  # of services that the stacks do not use
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http" and (reason := _rejection(scope)):
            body = json.dumps({"message": f"The sandbox rejects this request: {reason}"}).encode()
            await ministack.app._send_response(send, 403, {"Content-Type": "application/json"}, body)
        else:
            await serve(scope, receive, send)

    ministack.app.app = serve_own


def _rejection(scope: Any) -> str | None:
    """Return why the sandbox does not answer a request, or None."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    host, method, path = headers.get("host", ""), scope["method"], scope["path"]
    if host.lower() not in _HOSTS:  # against DNS rebinding
        return f"Host is {host!r}, but this is {' or '.join(sorted(_HOSTS))}"
    if _is_application(path) or _bucket(path):
        return None
    if headers.get("origin", "http://" + host.lower()) not in _ORIGINS:
        return f"Origin {headers['origin']!r} is a foreign website"
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return f"Sec-Fetch-Site is {headers['sec-fetch-site']!r}"
    if method == "OPTIONS":
        return "this API supports no CORS"
    if _EMULATOR_ROUTES.match(path) and path != _READY and not path.startswith(_CUSTOM_RESOURCE_RESPONSE):
        return "the emulator's own routes are not available"
    return None


def _is_application(path: str) -> bool:
    """Return whether a path leads to a REST API or a load balancer, which decide themselves whom they answer."""
    return ministack.app._parse_execute_api_url("", path) is not None or path.startswith("/_alb/")


def _bucket(path: str) -> str | None:
    """Return the bucket of a path if it exists."""
    target = ministack.app._s3_cors_target("", path)
    return target[0] if target else None


def _require_signature() -> None:
    handle = ministack.app._handle_post_body_shortcuts

    async def handle_signed(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]], request_id: str
    ) -> Any:
        params = ministack.app._routing_params(method, path, headers, body, query)
        service = router.detect_service(method, path, headers, params)
        if not _is_unsigned_allowed(method, path, headers, query, service):
            failure = _signature_failure(method, path, headers, query, service)
            if failure and not isinstance(failure, iam_evaluator.AuthError):
                return failure
            if failure:
                return ministack.app._credential_failure(service, "", request_id, failure, headers)
        return await handle(method, path, headers, body, query, request_id)

    ministack.app._handle_post_body_shortcuts = handle_signed


def _is_unsigned_allowed(method: str, path: str, headers: Any, query: Any, service: str) -> bool:
    if _is_application(path) or (method == "PUT" and path.startswith(_CUSTOM_RESOURCE_RESPONSE)):
        return True
    if "authorization" in headers or _has_query_credentials(query):
        return False
    # S3 verifies the signature in an upload form, and denies other unsigned requests to private buckets.
    return bool(service == "s3" and _bucket(path)) or bool(service == "ecs-metadata" and _TASK_METADATA.match(path))


def _signature_failure(method: str, path: str, headers: Any, query: Any, service: str) -> Any:
    """Verify the signature of a request. Returns None, an AuthError, or the response of S3."""
    if not headers.get("authorization") and not _has_query_credentials(query):
        return iam_evaluator.AuthError("MissingAuthenticationToken", "Request is missing Authentication Token")
    request = iam_evaluator._signed_request.get()
    if request is not None and request.s3_scoped:
        return s3._verify_presigned_sigv4(method, path, headers, query)
    key = router.extract_access_key_id(headers, query)
    verified = iam_evaluator.authenticate(key, responses.get_account_id())
    if verified is None:
        return iam_evaluator.AuthError("UnsupportedSignature", "The request signature is not supported.")
    return verified if isinstance(verified, iam_evaluator.AuthError) else None


def _has_query_credentials(query: dict[str, list[str]]) -> bool:
    return any(name.lower() in _QUERY_CREDENTIALS for name in query)


def _remove_cors_headers() -> None:
    """Remove the CORS headers that the emulator adds to responses of service APIs."""
    app = ministack.app
    dispatch = app._dispatch_service_request

    async def dispatch_without_cors(method: str, path: str, *request: Any) -> Any:
        if _is_application(path):  # an unknown load balancer, whose path needs no signature
            return 404, {}, b""
        status, headers, body = await dispatch(method, path, *request)
        if not _bucket(path):
            headers = {name: value for name, value in headers.items() if not name.startswith("Access-Control-")}
        return status, headers, body

    app._dispatch_service_request = dispatch_without_cors
    app._with_data_plane_headers = functools.partial(app._with_data_plane_headers, wildcard_cors=False)
