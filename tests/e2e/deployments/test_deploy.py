"""`make deploy` and `make destroy`, with the emulator as the sandbox account."""

import json
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from local.emulator import ACCOUNT, REGION, ROOT, running_emulator
from local.inventory import inventory
from local.sandbox import Sandbox
from operations.cdk import Assembly

_ADDRESS = "9.9.9.9"


@pytest.fixture(scope="module")
def check_ip() -> Iterator[str]:
    """The URL of a server that returns the address of its caller."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f"{_ADDRESS}\n".encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def _operate(sandbox: Sandbox, *arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "operations", "-c", "name=pair", "-c", "target=local", *arguments],
        cwd=ROOT,
        env=sandbox.cdk.environment(),
        stdin=stdin,
        capture_output=True,
        text=True,
    )


def _stacks(sandbox: Sandbox) -> set[str]:
    return {stack["StackName"] for stack in sandbox.client("cloudformation").describe_stacks()["Stacks"]}


def _website_cidrs(sandbox: Sandbox) -> list[str]:
    """Return the CIDR blocks that reach the Lightsail instance."""
    template = sandbox.client("cloudformation").get_template(StackName="pair-Lightsail")["TemplateBody"]
    resources = (json.loads(template) if isinstance(template, str) else template)["Resources"]
    (server,) = (it for it in resources.values() if it["Type"] == "AWS::Lightsail::Instance")
    cidrs: list[str] = server["Properties"]["Networking"]["Ports"][0]["Cidrs"]
    return cidrs


@pytest.mark.guarantee("Deploys the first time")
def test_deploy_update_and_destroy(empty_sandbox: Sandbox, check_ip: str, assembly: Path) -> None:
    before, stacks = inventory(empty_sandbox.client), _stacks(empty_sandbox)
    first, second = (Assembly(assembly).with_dependencies({stack}) for stack in ("Lightsail", "Cron"))

    run = _operate(empty_sandbox, "deploy", "Lightsail", "--check-ip", check_ip, "--yes")
    assert run.returncode == 0, run.stderr
    assert f"account {ACCOUNT}, {REGION}" in run.stdout
    assert ", ".join(sorted(first)) in run.stdout
    assert f"{_ADDRESS}/32" in run.stdout
    assert "$0.007" in run.stdout
    assert "AWSServiceRoleForEcs" in run.stdout
    assert "pair-Lightsail.WebsiteUrl" in run.stdout
    assert _stacks(empty_sandbox) == stacks | {f"pair-{stack}" for stack in first}
    assert _website_cidrs(empty_sandbox) == [f"{_ADDRESS}/32"]

    setting = ("-c", "allowed_cidr=198.51.100.0/24")
    run = _operate(empty_sandbox, *setting, "deploy", "Lightsail", "Cron", "--check-ip", "http://not-used", "--yes")
    assert run.returncode == 0, run.stderr
    assert ", ".join(sorted(second - first)) in run.stdout
    assert ", ".join(sorted(first)) in run.stdout
    assert "AWSServiceRole" not in run.stdout
    assert _stacks(empty_sandbox) == stacks | {f"pair-{stack}" for stack in first | second}
    assert _website_cidrs(empty_sandbox) == ["198.51.100.0/24"]

    run = _operate(empty_sandbox, "destroy", "--yes")
    assert run.returncode == 0, run.stderr
    assert ", ".join(sorted(first | second)) in run.stdout
    after = inventory(empty_sandbox.client)
    assert {name for name in after - before if not name.startswith("iam AWSServiceRoleFor")} == set()
    # The bucket of the CDK bootstrap stays, and the output names it.
    bucket = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
    assert bucket in run.stdout and f"s3 {bucket}" in after

    run = _operate(empty_sandbox, "destroy", "--yes")
    assert (run.returncode, len(run.stdout.splitlines())) == (0, 1)


def test_deploy_without_confirmation_changes_nothing(empty_sandbox: Sandbox, check_ip: str) -> None:
    before = _stacks(empty_sandbox)
    terminal, stdin = pty.openpty()
    try:
        os.write(terminal, b"n\n")
        run = _operate(empty_sandbox, "deploy", "Lightsail", "--check-ip", check_ip, stdin=stdin)
    finally:
        os.close(terminal)
        os.close(stdin)
    assert run.returncode == 1
    assert "[y/N]" in run.stdout
    assert _stacks(empty_sandbox) == before


def test_deploy_stops_when_the_address_is_unknown(empty_sandbox: Sandbox) -> None:
    run = _operate(empty_sandbox, "deploy", "--check-ip", "http://127.0.0.1:1", "--yes")
    assert run.returncode == 1
    assert "http://127.0.0.1:1" in run.stderr and len(run.stderr.splitlines()) == 1


def test_deploy_reports_a_missing_bootstrap(empty_sandbox: Sandbox, check_ip: str) -> None:
    with running_emulator() as emulator:
        run = subprocess.run(
            [sys.executable, "-m", "operations", "deploy", "--check-ip", check_ip, "--yes"],
            cwd=ROOT,
            env=empty_sandbox.cdk.environment() | emulator.client_environment(),
            capture_output=True,
            text=True,
        )
    assert run.returncode == 1
    (failed,) = (line for line in run.stdout.splitlines() if "✗" in line)
    assert f"npx cdk bootstrap aws://{ACCOUNT}/{REGION}" in failed
    assert "This will deploy" not in run.stdout
    assert "Preflight failed: CDK bootstrap." in run.stderr
