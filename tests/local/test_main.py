"""`python -m local` in its own process group, as in a terminal."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import boto3
import pytest

from local.emulator import LOGS, ROOT
from local.ports import why_unavailable
from photos.limits import SIZES
from tests.e2e.eventually import eventually
from tests.project_copy import copy_project, replace

pytestmark = pytest.mark.slow


@contextmanager
def _started(command: str, temporary: Path, *options: str, project: Path = ROOT) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "local", *options, command],
        cwd=project,
        env=os.environ | {"TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        except BaseException:
            process.kill()  # The test failed and must not wait for the end.
            raise


def _read_until(lines: Iterator[str], mark: str) -> str:
    read = []
    for line in lines:
        read.append(line)
        if mark in line:
            break
    return "".join(read)


def _assert_nothing_left(printed: str, temporary: Path) -> None:
    match = re.search(r"http://127\.0\.0\.1:(\d+)", printed)
    assert match, printed
    assert why_unavailable(int(match[1])) is None
    assert list(temporary.iterdir()) == []
    assert list(LOGS.glob(f"*-{match[1]}.log")) == []


def _exports(printed: str) -> dict[str, str]:
    return dict(re.findall(r"export (\w+)=(\S+)", printed))


def _upload(printed: str, key: str) -> None:
    """Upload a photo as the printed `aws s3 cp` does, under this key."""
    (bucket,) = re.findall(r"aws s3 cp samples/rocket\.jpg s3://(\S+)/", printed)
    exports = _exports(printed)
    s3 = boto3.client(
        "s3",
        endpoint_url=exports["AWS_ENDPOINT_URL"],
        region_name=exports["AWS_REGION"],
        aws_access_key_id=exports["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"],
    )
    s3.upload_file(str(ROOT / "samples/rocket.jpg"), bucket, key)


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url) as response:
        content: bytes = response.read()
    return content


@pytest.fixture
def usual_port_in_use() -> Iterator[None]:
    with socket.socket() as other:
        with suppress(OSError):  # Another program can use the port already.
            other.bind(("127.0.0.1", 4566))
        yield


def test_up_runs_until_ctrl_c_and_prints_working_commands(tmp_path: Path, usual_port_in_use: None) -> None:
    with _started("up", tmp_path, "-c", "name=annas", "-c", "thumbnails_on=fargate") as process:
        assert process.stdout
        printed = _read_until(process.stdout, "Ctrl-C")
        environment = os.environ | _exports(printed)
        assert "Using a free port instead of 4566: another program uses it." in printed
        assert "Workers start up to a minute after an upload" in printed
        (make_key,) = re.findall(r"make (key .*?)  ", printed)
        key = subprocess.run(
            ["make", "--silent", *make_key.split()], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        assert (key.returncode, len(key.stdout.split())) == (0, 1), key.stderr
        _upload(printed, "rocket.jpg")
        (photos,) = re.findall(r"curl (\S+)", printed)
        eventually(lambda: b"rocket.jpg" in _get(photos))
        for output in ("Ecs.GalleryUrl", "Lightsail.WebsiteUrl"):
            (page,) = re.findall(rf"{re.escape(output)} +(\S+)", printed)
            assert b"<title>Other Compute</title>" in _get(page)
        os.killpg(process.pid, signal.SIGINT)
        process.stdout.read()
    assert process.returncode == 0
    _assert_nothing_left(printed, tmp_path)


def test_up_deploys_saved_edits_and_keeps_photos(tmp_path: Path) -> None:
    project, temporary = tmp_path / "project", tmp_path / "tmp"
    temporary.mkdir()
    copy_project(project)
    page = project / "containers/gallery/static/index.html"
    sizes, changed_sizes = f"SIZES: Final = {SIZES}", "SIZES: Final = (100,)"
    without_budget = "    BudgetStack(app,", "    False and BudgetStack(app,"
    with _started("up", temporary, project=project) as process:
        assert process.stdout
        printed = _read_until(process.stdout, "Ctrl-C")
        (photos,) = re.findall(r"curl (\S+)", printed)

        def sizes_of(filename: str) -> set[str]:
            listed = json.loads(_get(photos))["photos"]
            return {size for photo in listed if photo["filename"] == filename for size in photo.get("thumbnails", {})}

        _upload(printed, "before.jpg")
        eventually(lambda: sizes_of("before.jpg") == {str(size) for size in SIZES})

        limits, user_data = project / "lambda_src/photos/limits.py", project / "stacks/support/lightsail_user_data.sh"
        replace(limits, sizes, "SIZES: Final = (100,")
        assert 'limits.py", line' in _read_until(process.stdout, "Save a corrected file")

        # The deployment of Lightsail fails, after that of the other stacks.
        replace(user_data, "nginx -t", "exit 3")
        limits.write_text((ROOT / "lambda_src/photos/limits.py").read_text().replace(sizes, changed_sizes))
        assert "status 3" in _read_until(process.stdout, "Save a corrected file")
        _upload(printed, "changed.jpg")
        eventually(lambda: sizes_of("changed.jpg") == {"100"})

        replace(user_data, "exit 3", "nginx -t")
        replace(limits, changed_sizes, sizes)
        replace(page, "<title>Other Compute</title>", "<title>My photos</title>")
        replace(project / "app.py", *without_budget)
        changes = _read_until(process.stdout, "Changed ").splitlines()
        assert "Thumbnails" in changes[-1] and "Deleted Budget" in changes[-1]
        (gallery,) = re.findall(r"Ecs\.GalleryUrl +(\S+)", printed)
        (website,) = re.findall(r"Lightsail\.WebsiteUrl +(\S+)", "\n".join(changes))
        eventually(lambda: all(b"<title>My photos</title>" in _get(url) for url in (gallery, website)))
        _upload(printed, "after.jpg")
        eventually(lambda: sizes_of("after.jpg") == {str(size) for size in SIZES})

        without_stacks = "    registry = ", "    return app\n    registry = "
        replace(project / "app.py", *without_stacks)
        assert "Thumbnails" in _read_until(process.stdout, "Save a corrected file")

        replace(project / "app.py", *reversed(without_stacks))
        replace(project / "app.py", *reversed(without_budget))
        network = '"Vpc",', '"Vpc", ip_addresses=ec2.IpAddresses.cidr("10.9.0.0/16"),'
        replace(project / "stacks/network.py", *network)
        changes = _read_until(process.stdout, "Changed ").splitlines()
        assert "Budget" in changes[-1] and any("cdk destroy Batch Ecs" in line for line in changes)
        page.touch()
        _read_until(process.stdout, "No stack changed")

        assert {photo["filename"] for photo in json.loads(_get(photos))["photos"]} == {
            "before.jpg",
            "changed.jpg",
            "after.jpg",
        }
        os.killpg(process.pid, signal.SIGINT)
        process.stdout.read()
    assert process.returncode == 0
    _assert_nothing_left(printed, temporary)


@pytest.mark.parametrize(
    ("mark", "number"),
    [("start the emulator", signal.SIGINT), ("cdk bootstrap", signal.SIGTERM)],
    ids=["Ctrl-C during synth", "SIGTERM during deploy"],
)
def test_interrupted_demo_leaves_nothing_behind(mark: str, number: signal.Signals, tmp_path: Path) -> None:
    with _started("demo", tmp_path) as process:
        assert process.stdout and process.stderr
        printed = _read_until(process.stdout, mark) + process.stdout.readline()
        process.send_signal(number)
        errors = process.stderr.read()
    assert process.returncode == 1
    assert len(errors.strip().splitlines()) == 1, errors
    _assert_nothing_left(printed, tmp_path)


@pytest.mark.parametrize(("port", "reason"), [("x", "'x'"), ("70000", "'70000'"), ("6000", "browsers block port 6000")])
def test_invalid_arguments_exit_with_status_2(port: str, reason: str) -> None:
    command = [sys.executable, "-m", "local", "up", "--port", port]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 2
    assert reason in run.stderr


@pytest.mark.parametrize("command", ["up", "demo"])
@pytest.mark.parametrize("setting", ["name=UPPER", "time_zone=Mars", "nmae=annas", "allowed_cidr=9.9.9.9/32"])
def test_settings_are_checked_before_the_emulator_starts(command: str, setting: str) -> None:
    arguments = [sys.executable, "-m", "local", "-c", setting, command]
    run = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stdout, len(run.stderr.splitlines())) == (1, "", 1)
    assert run.stderr.startswith(f"Setting {setting.partition('=')[0]}: ")
