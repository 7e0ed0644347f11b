"""The demo with the limits of a Mac: a loopback interface that has only 127.0.0.1, and 256 open files.

A network namespace of Linux stands in for it. Everything else of macOS remains untested.
"""

import shutil
import subprocess
import sys

import pytest

from local.emulator import ROOT

pytestmark = pytest.mark.slow

_PREPARE = "ip link set lo up && ip -4 address flush dev lo && ip address add 127.0.0.1/32 dev lo"


def _in_namespace(command: str) -> subprocess.CompletedProcess[str]:
    # As root of a user namespace, an unprivileged user can create a network namespace, if the machine allows it.
    namespace = ["unshare", "--map-root-user", "--net", "sh", "-ec"]
    return subprocess.run([*namespace, f"{_PREPARE}; {command}"], cwd=ROOT, capture_output=True, text=True)


@pytest.fixture(autouse=True)
def _require_namespaces() -> None:
    if missing := [program for program in ("unshare", "ip") if not shutil.which(program)]:
        pytest.skip(f"not installed: {', '.join(missing)}")
    if (run := _in_namespace("ip -oneline -4 address")).returncode != 0:
        pytest.skip(f"this machine does not permit network namespaces: {run.stderr.strip()}")
    assert "127.0.0.1/32" in run.stdout and len(run.stdout.splitlines()) == 1


def test_demo_succeeds_with_a_single_loopback_address() -> None:
    """The demo sends photos, makes an album, visits both gallery services, and destroys everything. On Fargate, it also
    scales the workers to zero and from zero. `.ci/run` runs it on Lambda.
    """
    run = _in_namespace(f"ulimit -n 256; exec {sys.executable} -m local -c thumbnails_on=fargate demo")
    assert run.returncode == 0, run.stdout + run.stderr


def test_missing_loopback_address_is_reported() -> None:
    run = _in_namespace(f"ip -4 address flush dev lo; exec {sys.executable} -m local demo")
    assert run.returncode == 1
    (line,) = run.stderr.strip().splitlines()
    assert "127.0.0.1" in line and "loopback" in line
