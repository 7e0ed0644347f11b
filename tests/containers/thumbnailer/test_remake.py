"""The program of a remake, as Batch runs it: command line, environment, exit status, and signals."""

import logging
import os
import signal
import socket
import subprocess
import sys

import pytest

from photos.decoder_process import DecoderFailed, DecoderProcess
from photos.remake import Manifest, manifest_key
from stacks.support.build_context import build_context
from tests.lambda_src.conftest import aws as aws
from tests.lambda_src.mocked_aws import THUMBNAILS, MockedAws, jpeg, set_environment
from thumbnailer.remake import main

MANIFEST = manifest_key("r-1")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    set_environment(monkeypatch)


def put_manifest(aws: MockedAws, *starts: str) -> None:
    aws.s3.put_object(Bucket=THUMBNAILS, Key=MANIFEST, Body=Manifest(starts, 0).to_json())


def test_child_makes_the_thumbnails_of_its_slice(
    aws: MockedAws, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for key in ("a", "b", "c", "d"):
        aws.put(key, jpeg())
    aws.put("bb", b"no photo")
    put_manifest(aws, "", "a", "c")
    monkeypatch.setenv("AWS_BATCH_JOB_ARRAY_INDEX", "1")
    caplog.set_level(logging.INFO)
    assert main([MANIFEST]) == 0
    assert {key: item["state"] for key, item in aws.items().items()} == {"b": "ready", "bb": "rejected", "c": "ready"}
    assert caplog.messages[-1] == "Slice 2 of 3: 3 photos (2 ready, 1 rejected)"


def test_photo_that_fails_is_logged_and_ends_the_child_with_status_1(
    aws: MockedAws, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    aws.put("a", jpeg("red"))
    aws.put("b", jpeg("blue"))
    put_manifest(aws, "")
    make_thumbnails = DecoderProcess.make_thumbnails

    def fail(decoder: DecoderProcess, photo: bytes, sizes: tuple[int, ...]) -> dict[int, bytes]:
        if photo == jpeg("red"):
            raise DecoderFailed("The decoder process ended: SIGKILL.")
        return make_thumbnails(decoder, photo, sizes)

    with monkeypatch.context() as patch:
        patch.setattr(DecoderProcess, "make_thumbnails", fail)
        assert main([MANIFEST]) == 1
    assert "Photo 'a' failed: DecoderFailed: The decoder process ended: SIGKILL." in caplog.messages
    assert aws.items().keys() == {"b"}
    assert main([MANIFEST]) == 0, "another attempt"
    assert aws.items().keys() == {"a", "b"}


@pytest.mark.parametrize(
    ("content", "index", "message"),
    [
        (None, "0", f"{MANIFEST} is not in the bucket {THUMBNAILS}"),
        (b"{}", "0", f"{MANIFEST}: The manifest is not valid (KeyError('slices'))"),
        (b'{"slices": [""], "photos": 1}', "7", f"{MANIFEST}: Slice 7 does not exist: the manifest has 1 slices"),
    ],
)
def test_permanent_failure_ends_with_status_2_and_one_line(
    aws: MockedAws,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    content: bytes | None,
    index: str,
    message: str,
) -> None:
    if content is not None:
        aws.s3.put_object(Bucket=THUMBNAILS, Key=MANIFEST, Body=content)
    monkeypatch.setenv("AWS_BATCH_JOB_ARRAY_INDEX", index)
    with pytest.raises(SystemExit) as ended:
        main([MANIFEST])
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"{message}\n"


def test_sigterm_ends_the_child_at_once_with_status_1() -> None:
    """The program starts in the folder that the image is built from, where it cannot import from the repository."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        child = subprocess.Popen(
            [sys.executable, "-m", "thumbnailer.remake", MANIFEST],
            cwd=build_context("thumbnailer"),
            env=os.environ
            | {
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.getsockname()[1]}",
                "NO_PROXY": "127.0.0.1",
                "PYTHONPATH": "",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            connection, _ = server.accept()  # the child waits for its manifest
            with connection:
                child.send_signal(signal.SIGTERM)
                output = child.communicate(timeout=5)
        finally:
            child.kill()
    assert (child.returncode, *output) == (1, "", "Stopped by SIGTERM. Another attempt repeats the slice.\n")
