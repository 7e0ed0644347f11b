"""Lambda functions from container images, with the real runtime interface client."""

import importlib.util
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ministack.core import lambda_runtime
from ministack.core.responses import request_scope
from ministack.services import cloudwatch_logs, ecr, lambda_svc
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

from local.emulator import ACCOUNT, REGION
from local.extension import container_images, lambda_images, lambda_logs
from local.extension.container_images import Image
from local.extension.dockerfile import Dockerfile

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("awslambdaric") is None, reason="awslambdaric exists for Linux only"
)

_HANDLER = """
import logging, os, sys, time
def handle(event, context):
    logging.getLogger().warning("one warning")
    print("one line")
    if "seconds" in event:
        time.sleep(event["seconds"])
    if "exit" in event:
        os._exit(event["exit"])
    if "error" in event:
        raise ValueError(event["error"])
    return {
        "pid": os.getpid(),
        "request": context.aws_request_id,
        "milliseconds": context.get_remaining_time_in_millis(),
        "setting": os.environ["SETTING"],
        "default": os.environ["DEFAULT"],
        "endpoint": os.environ["AWS_ENDPOINT_URL"],
        "folder": os.getcwd(),
    }
"""
_URI = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/images:"
_LOG_GROUP = "/functions/ours"


class _Function:
    """The function of a stack."""

    handler = _RESOURCE_HANDLERS["AWS::Lambda::Function"]

    def __init__(self, **properties: Any) -> None:
        self.properties: dict[str, Any] = {
            "FunctionName": "ours-function",
            "PackageType": "Image",
            "Code": {"ImageUri": f"{_URI}1"},
            "ImageConfig": {"EntryPoint": ["python", "-m", "awslambdaric"], "Command": ["module.handle"]},
            "Timeout": 20,
            "Environment": {"Variables": {"SETTING": "of the function", "AWS_ENDPOINT_URL": "http://elsewhere"}},
            "LoggingConfig": {"LogFormat": "JSON", "LogGroup": _LOG_GROUP},
        } | properties
        _RESOURCE_HANDLERS["AWS::Lambda::Function"]["create"]("Function", self.properties, "stack")

    def update(self, **properties: Any) -> None:
        new = self.properties | properties
        _RESOURCE_HANDLERS["AWS::Lambda::Function"]["update"]("ours-function", self.properties, new, "stack")
        self.properties = new

    def invoke(self, **event: Any) -> dict[str, Any]:
        result: dict[str, Any] = lambda_svc._execute_function(lambda_svc._functions["ours-function"], event)
        return result


def _log() -> list[str]:
    streams = cloudwatch_logs._log_groups[_LOG_GROUP]["streams"]
    return [event["message"] for stream in streams.values() for event in stream["events"]]


def _policy(source: str, *actions: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "lambda.amazonaws.com"},
        "Action": actions,
        "Condition": {"StringLike": {"aws:sourceArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{source}"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(autouse=True)
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A repository from which functions named `ours-…` can be created, with the images 1 and 2."""
    monkeypatch.setitem(_RESOURCE_HANDLERS, "AWS::Lambda::Function", dict(_RESOURCE_HANDLERS["AWS::Lambda::Function"]))
    monkeypatch.setattr(lambda_svc, "_execute_function_docker", lambda_svc._execute_function_docker)
    monkeypatch.setattr(lambda_runtime.Worker, "_drain_stderr_bounded", lambda_runtime.Worker._drain_stderr_bounded)
    monkeypatch.setenv("GATEWAY_PORT", "1")
    with request_scope(ACCOUNT, REGION):
        lambda_images.extend()
        lambda_logs.extend()
        ecr._create_repository({"repositoryName": "images"})
        ecr._repo_policies["images"] = _policy("ours-*", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
        for tag in ("1", "2"):
            folder = tmp_path / tag
            folder.mkdir()
            (folder / "module.py").write_text(_HANDLER)
            dockerfile = Dockerfile({"DEFAULT": "of the image", "SETTING": "of the image"}, (), ("python", "worker.py"))
            monkeypatch.setitem(container_images._images, f"images:{tag}", Image(folder, dockerfile))
        yield
        lambda_runtime.reset()
        lambda_svc._functions.pop("ours-function", None)
        cloudwatch_logs._log_groups.pop(_LOG_GROUP, None)
        del ecr._repositories["images"], ecr._repo_policies["images"]


def test_invocations_share_a_process_with_the_environment_of_the_function(tmp_path: Path) -> None:
    function = _Function()
    first, second = (function.invoke()["body"] for _ in range(2))
    assert first["pid"] == second["pid"] != os.getpid()
    assert first["request"] != second["request"]
    assert 0 < first["milliseconds"] <= 20_000
    assert first["setting"] == "of the function"
    assert first["default"] == "of the image"
    assert first["endpoint"] == "http://127.0.0.1:1"
    assert first["folder"] == str(tmp_path / "1")


def test_log_group_contains_the_output_of_each_invocation() -> None:
    function = _Function()
    requests = [function.invoke()["body"]["request"] for _ in range(2)]
    log = _log()
    assert log.count("one line") == 2
    assert [json.loads(line)["requestId"] for line in log if "one warning" in line] == requests


def test_error_of_the_handler_is_the_result() -> None:
    function = _Function()
    result = function.invoke(error="broken")
    assert result["error"]
    assert result["body"]["errorType"] == "ValueError"
    assert any("broken" in line for line in _log())
    assert "error" not in function.invoke()


def test_timeout_ends_the_process() -> None:
    function = _Function(Timeout=1)
    process = function.invoke()["body"]["pid"]
    result = function.invoke(seconds=60)
    assert result["error"]
    assert "timed out after 1" in result["body"]["errorMessage"]
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert function.invoke()["body"]["pid"] != process


def test_process_that_ends_fails_one_invocation() -> None:
    function = _Function()
    process = function.invoke()["body"]["pid"]
    assert function.invoke(exit=3)["error"]
    second = function.invoke()["body"]["pid"]
    assert second != process
    os.kill(second, signal.SIGKILL)
    result = function.invoke()
    assert result.get("error") or result["body"]["pid"] != second
    assert "error" not in function.invoke()


def test_update_replaces_the_image(tmp_path: Path) -> None:
    function = _Function()
    function.invoke()
    function.update(Code={"ImageUri": f"{_URI}2"})
    assert function.invoke()["body"]["folder"] == str(tmp_path / "2")


def test_lambda_needs_permission_to_pull_the_image() -> None:
    with pytest.raises(PermissionError, match=r"ecr:BatchGetImage for .*:function:theirs-function"):
        _Function(FunctionName="theirs-function")
    assert "theirs-function" not in lambda_svc._functions
    function = _Function()
    ecr._repo_policies["images"] = _policy("ours-*", "ecr:BatchGetImage")
    with pytest.raises(PermissionError, match="ecr:GetDownloadUrlForLayer"):
        function.update(Code={"ImageUri": f"{_URI}2"})


def test_missing_image_and_missing_runtime_client_are_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LookupError, match="no build has pushed this image"):
        _Function(Code={"ImageUri": f"{_URI}3"})
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"^Functions from .*thumbnails_on.*$"):
        _Function()
