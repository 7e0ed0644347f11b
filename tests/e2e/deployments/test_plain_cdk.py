"""The CDK CLI without the Makefile, as in the README. The sandbox is the account."""

import re

from local.demo.photo import PHOTO
from local.emulator import ROOT
from local.inventory import inventory
from local.sandbox import Sandbox
from tests.e2e.documented_commands import run_in_terminal, shell_commands
from tests.e2e.eventually import eventually


def _make_thumbnail(sandbox: Sandbox, output: str) -> None:
    """Put a photo into the deployed bucket, and wait for its thumbnail: the packages must run on this machine."""
    bucket, table = (
        re.search(rf"Thumbnails\.{name} = (\S+)", output) for name in ("OriginalsBucket", "CatalogueTable")
    )
    assert bucket and table
    sandbox.client("s3").put_object(Bucket=bucket[1], Key="photo.jpg", Body=PHOTO.read_bytes())
    eventually(lambda: [item["state"] for item in sandbox.table_items(table[1])] == ["ready"])


def test_plain_cdk_commands_deploy_and_destroy(empty_sandbox: Sandbox) -> None:
    before = inventory(empty_sandbox.client)
    environment = empty_sandbox.cdk.environment()
    bootstrap = "source .venv/bin/activate && npx cdk bootstrap"
    commands = [command for command in shell_commands(ROOT / "README.md") if command.startswith("npx cdk")]
    outputs = {}
    for command in [bootstrap, *commands]:
        outputs[command] = run_in_terminal(command, environment)
        if command == "npx cdk deploy Thumbnails":
            _make_thumbnail(empty_sandbox, outputs[command])
    assert "Environment aws://111122223333/us-east-1 bootstrapped" in outputs[bootstrap]
    assert "Thumbnails.OriginalsBucket = other-compute-thumbnails-" in outputs["npx cdk deploy Thumbnails"]
    assert "Thumbnails (other-compute-Thumbnails): destroyed" in outputs["npx cdk destroy --all"]
    assert {it for it in inventory(empty_sandbox.client) - before if "cdk-hnb659fds" not in it} == set()
