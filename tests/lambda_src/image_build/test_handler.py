"""The custom resource sends a response to CloudFormation in every case."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.lambda_src.mocked_aws import load_function

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"

Send = Callable[..., dict[str, Any]]


@pytest.fixture
def send(monkeypatch: pytest.MonkeyPatch) -> Iterator[Send]:
    """Send a request to the handler and return the response to CloudFormation. The image `existing` exists."""
    responses: list[dict[str, Any]] = []

    class CloudFormation(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            assert not self.headers["Content-Type"], "the URL is presigned for an empty content type"
            responses.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), CloudFormation) as server, mock_aws():
        threading.Thread(target=server.serve_forever, daemon=True).start()
        ecr = boto3.client("ecr")
        ecr.create_repository(repositoryName="images")
        manifest = json.dumps(
            {"schemaVersion": 2, "mediaType": _MANIFEST, "config": {"digest": f"sha256:{'0' * 64}"}, "layers": []}
        )
        ecr.put_image(repositoryName="images", imageTag="existing", imageManifest=manifest)
        handler = load_function(monkeypatch, "image_build").handler

        def send(request_type: str, tag: str) -> dict[str, Any]:
            event = {
                "RequestType": request_type,
                "ResponseURL": f"http://127.0.0.1:{server.server_port}/response",
                "StackId": "stack",
                "RequestId": "request",
                "LogicalResourceId": "Image",
                "ResourceProperties": {"ProjectName": "none", "RepositoryName": "images", "ImageTag": tag},
            }
            handler(event, None)
            (response,) = responses
            return response

        yield send
        server.shutdown()


@pytest.mark.parametrize(
    ("request_type", "tag", "status", "reason"),
    [
        ("Create", "existing", "SUCCESS", "$"),
        ("Update", "existing", "SUCCESS", "$"),
        ("Create", "missing", "FAILED", ".*none"),  # the project that does not exist
        ("Delete", "missing", "SUCCESS", "$"),
    ],
)
def test_cloudformation_receives_the_outcome(send: Send, request_type: str, tag: str, status: str, reason: str) -> None:
    response = send(request_type, tag)
    assert re.match(reason, response.pop("Reason"))
    assert response == {
        "Status": status,
        "PhysicalResourceId": f"images:{tag}",
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Image",
        "Data": {"RepositoryName": "images"},
    }
