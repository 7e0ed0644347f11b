"""The CDK CLI without the Makefile, as in the README. The sandbox is the account."""

from local.emulator import ROOT
from local.inventory import inventory
from local.sandbox import Sandbox
from tests.e2e.documented_commands import run_in_terminal, shell_commands


def test_plain_cdk_commands_deploy_and_destroy(empty_sandbox: Sandbox) -> None:
    before = inventory(empty_sandbox.client)
    environment = empty_sandbox.cdk.environment()
    bootstrap = "source .venv/bin/activate && npx cdk bootstrap"
    commands = [command for command in shell_commands(ROOT / "README.md") if command.startswith("npx cdk")]
    outputs = {command: run_in_terminal(command, environment) for command in [bootstrap, *commands]}
    assert "Environment aws://111122223333/us-east-1 bootstrapped" in outputs[bootstrap]
    assert "Thumbnails.OriginalsBucket = other-compute-thumbnails-" in outputs["npx cdk deploy Thumbnails"]
    assert "Thumbnails (other-compute-Thumbnails): destroyed" in outputs["npx cdk destroy --all"]
    assert {it for it in inventory(empty_sandbox.client) - before if "cdk-hnb659fds" not in it} == set()
