"""A website that the user opens while the sandbox runs, in a browser: it must not control the sandbox.

`tests/local/extension/test_access_control.py` sends such requests, and more, without a browser.
"""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from local.emulator import ACCOUNT
from local.ports import HOST
from local.sandbox import Sandbox
from tests.local.emulator_requests import forge

# Sends a request as a website can, and returns what it can read of the response, or the error.
_FETCH = """async ([url, options]) => {
    try {
        const response = await fetch(url, options);
        return {status: response.status, text: await response.text()};
    } catch (error) {
        return {error: String(error)};
    }
}"""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a web server with an empty page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@pytest.fixture(params=[f"{HOST}:{{}}", "attacker.localhost:{}"], ids=["same site", "cross-site"])
def website(request: pytest.FixtureRequest, browser: Browser, port: int) -> Iterator[Page]:
    """A page of another origin."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"http://{request.param.format(port)}")
        yield page


def _fetch(page: Page, url: str, **options: Any) -> dict[str, Any]:
    result: dict[str, Any] = page.evaluate(_FETCH, [url, options])
    return result


@pytest.mark.guarantee("Closed")
def test_foreign_website_cannot_call_service_apis(sandbox: Sandbox, website: Page) -> None:
    lambda_client, emulator = sandbox.client("lambda"), sandbox.emulator
    functions = [function["FunctionName"] for function in lambda_client.list_functions()["Functions"]]
    sweep, bucket = sandbox.outputs["Cron"]["SweepFunction"], sandbox.outputs["Thumbnails"]["OriginalsBucket"]
    text = {"Content-Type": "text/plain"}
    answered: list[int] = []
    website.on("response", lambda response: answered.append(response.status))
    for key in (ACCOUNT, f"AKIA{'A' * 16}", emulator.access_key_id):
        for service, method, path, body in (
            ("lambda", "POST", "/2015-03-31/functions", '{"FunctionName": "attack", "Runtime": "python3.13"}'),
            ("lambda", "POST", f"/2015-03-31/functions/{sweep}/invocations", "{}"),
            ("s3", "GET", "/", None),
            ("s3", "GET", f"/{bucket}", None),
            ("apigateway", "GET", "/apikeys", None),
        ):
            for mode in ("cors", "no-cors"):
                options = {"method": method, "mode": mode, "headers": text, **({"body": body} if body else {})}
                # Query credentials need no preflight request.
                result = _fetch(website, emulator.endpoint + forge(path, key, service), **options)
                assert "error" in result or result == {"status": 0, "text": ""}, (path, result)
    for path in ("/apikeys?includeValues=true", "/_ministack/health", "/_ministack/sqs/messages", "/"):
        assert "error" in _fetch(website, emulator.endpoint + path)
    for method in ("PUT", "DELETE"):  # with a preflight request
        assert "error" in _fetch(website, f"{emulator.endpoint}/2015-03-31/functions/{sweep}", method=method)
    assert "error" in _fetch(website, f"{emulator.endpoint}/_ministack/reset", method="POST", headers=text)
    assert answered and {*answered} <= {400, 403}
    assert [function["FunctionName"] for function in lambda_client.list_functions()["Functions"]] == functions


@pytest.mark.guarantee("Closed")
def test_rebound_name_reads_neither_gallery_nor_api(sandbox: Sandbox, browser: Browser) -> None:
    """A name of the attacker that resolves to this machine makes the sandbox the page's own origin."""
    with browser.new_context() as context:
        page = context.new_page()
        origin = sandbox.emulator.endpoint.replace(HOST, "rebound.localhost")
        for url in (sandbox.outputs["Ecs"]["GalleryUrl"], f"{sandbox.outputs['Api']['ApiUrl']}photos"):
            response = page.goto(url.replace(sandbox.emulator.endpoint, origin))
            assert response and response.status == 403
            assert "Other Compute" not in response.text()
        for path in ("/apikeys?includeValues=true", "/"):
            assert _fetch(page, origin + path)["status"] == 403


def test_foreign_website_reaches_the_api_as_its_cors_allows(sandbox: Sandbox, website: Page) -> None:
    """On AWS, too, any origin can read the API from an allowed address, and needs the API key to write."""
    photos = f"{sandbox.outputs['Api']['ApiUrl']}photos"
    assert _fetch(website, photos)["status"] == 200
    headers = {"X-Api-Key": ACCOUNT, "Content-Type": "application/json"}  # with a preflight request
    assert _fetch(website, photos, method="POST", headers=headers, body="{}")["status"] == 403
