"""Commands of the documentation, run in a terminal. The sandbox is the account."""

import json
import re
import shutil

import pytest

from local.emulator import ROOT
from local.inventory import inventory
from local.sandbox import Sandbox
from tests.e2e.account import REPORT
from tests.e2e.documented_commands import run_in_terminal, shell_commands


def test_cost_command_prints_idle_cost(sandbox: Sandbox) -> None:
    assert re.search(r"\$0\.0\d+", run_in_terminal("make cost", sandbox.cdk.environment()))


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed: apt install curl")
def test_curl_commands_upload_a_photo(sandbox: Sandbox, delete_photos_afterwards: None) -> None:
    environment = sandbox.cdk.environment() | {"ApiUrl": sandbox.outputs["Api"]["ApiUrl"]}
    (block,) = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "docs" / "local.md").read_text(), re.MULTILINE | re.DOTALL)
    output = run_in_terminal(block, environment)
    photo = json.loads(output[output.index("{") :])
    assert (photo["filename"], photo["state"]) == ("rocket.jpg", "ready"), output
    assert not any((ROOT / name).exists() for name in ("registered.json", "upload.conf", "photo.json"))


def test_e2e_target_aws_deploys_tests_destroys_and_reports(sandbox: Sandbox) -> None:
    before = inventory(sandbox.client)
    (command,) = (command for command in shell_commands(ROOT / "README.md") if "E2E_TARGET" in command)
    output = run_in_terminal(f"source .venv/bin/activate && {command}", sandbox.cdk.environment())
    assert re.search(r"= \d\d passed, \d+ deselected in ", output), output
    assert "Deleted all stacks of e2e-tests" in output
    report = REPORT.read_text()
    assert re.search(r"Result: \d\d passed; \d+ tests need the emulator", report)
    assert "except service-linked roles: nothing" in report
    assert all(f"| {step} |" in report for step in ("deploy", "tests", "destroy"))
    roles = [name.partition(" ")[2] for name in inventory(sandbox.client) - before]
    assert all(role.startswith("AWSServiceRoleFor") for role in roles), roles
    for role in roles:
        sandbox.client("iam").delete_service_linked_role(RoleName=role)
