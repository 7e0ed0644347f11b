"""The custom resource: CloudFormation is answered in any case, and in the way it reads."""

import importlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
import pytest
from moto import mock_aws

_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Calls the handler as CloudFormation does, and returns its answer. The repository has the image `there`."""
    answers: list[dict[str, Any]] = []

    class CloudFormation(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            assert not self.headers["Content-Type"], "the URL is signed for an empty content type"
            answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
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
        ecr.put_image(repositoryName="images", imageTag="there", imageManifest=manifest)
        import image_build.handler

        handler = importlib.reload(image_build.handler).handler

        def ask(request_type: str, tag: str) -> dict[str, Any]:
            event = {
                "RequestType": request_type,
                "ResponseURL": f"http://127.0.0.1:{server.server_port}/answer",
                "StackId": "stack",
                "RequestId": "request",
                "LogicalResourceId": "Image",
                "ResourceProperties": {"ProjectName": "none", "RepositoryName": "images", "ImageTag": tag},
            }
            handler(event, None)
            (answer,) = answers
            return answer

        yield ask
        server.shutdown()


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_an_image_that_is_there_is_answered_by_its_repository(ask: Ask, request_type: str) -> None:
    assert ask(request_type, "there") == {
        "Status": "SUCCESS",
        "Reason": "",
        "PhysicalResourceId": "images:there",
        "StackId": "stack",
        "RequestId": "request",
        "LogicalResourceId": "Image",
        "Data": {"RepositoryName": "images"},
    }


def test_what_goes_wrong_is_told_to_cloudformation(ask: Ask) -> None:
    answer = ask("Create", "missing")
    assert answer["Status"] == "FAILED"
    assert "none" in answer["Reason"]  # the project does not exist


def test_delete_touches_nothing(ask: Ask) -> None:
    assert ask("Delete", "missing")["Status"] == "SUCCESS"
