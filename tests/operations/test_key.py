"""`make key` prints the API key."""

import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber

from operations.key import api_key
from operations.outputs import NotDeployedError

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch) -> dict[str, Stubber]:
    """Stubbed clients of every session."""
    clients = {name: boto3.client(name) for name in ("cloudformation", "apigateway")}
    monkeypatch.setattr(boto3.Session, "client", lambda _, name: clients[name])
    stubs = {name: Stubber(client) for name, client in clients.items()}
    for stub in stubs.values():
        stub.activate()
    return stubs


def test_api_key_is_the_one_that_the_stack_outputs(stubs: dict[str, Stubber]) -> None:
    outputs = [{"OutputKey": "ApiKeyId", "OutputValue": "id-of-key"}]
    stack = {"StackName": "annas-Api", "CreationTime": 0, "StackStatus": "CREATE_COMPLETE", "Outputs": outputs}
    stubs["cloudformation"].add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": "annas-Api"})
    # Without `includeValue`, API Gateway omits the value.
    request = {"apiKey": "id-of-key", "includeValue": True}
    stubs["apigateway"].add_response("get_api_key", {"value": "the key"}, request)
    assert api_key(boto3.Session(), "annas") == "the key"


def test_api_key_fails_without_a_deployed_api(stubs: dict[str, Stubber]) -> None:
    stubs["cloudformation"].add_client_error("describe_stacks", "ValidationError", "does not exist")
    with pytest.raises(NotDeployedError, match="annas-Api does not exist in us-east-1"):
        api_key(boto3.Session(), "annas")


@pytest.mark.parametrize("command", ["key", "redrive", "destroy", "deploy"])
@pytest.mark.parametrize(("region", "message"), [("us-east-1", "No AWS credentials found"), ("", "No AWS region")])
def test_commands_exit_with_one_line_without_credentials_or_region(command: str, region: str, message: str) -> None:
    environment = {"AWS_DEFAULT_REGION": region, "AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent"}
    arguments = [sys.executable, "-m", "operations", command]
    run = subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (run.returncode, run.stdout, len(run.stderr.splitlines())) == (1, "", 1)
    assert run.stderr.startswith(message)
