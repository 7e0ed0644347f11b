"""`make key`: the value of the API key."""

import subprocess
import sys
from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber

from operations.key import api_key
from operations.outputs import NotDeployedError

ROOT = Path(__file__).parent.parent.parent


class _Session(boto3.Session):
    """Of clients that answer what a test says, and check what they are asked."""

    def __init__(self) -> None:
        super().__init__(aws_access_key_id="testing", aws_secret_access_key="testing", region_name="us-east-1")
        self._clients = {name: boto3.Session.client(self, name) for name in ("cloudformation", "apigateway")}
        self.stubs = {name: Stubber(client) for name, client in self._clients.items()}
        for stub in self.stubs.values():
            stub.activate()

    def client(self, name: str) -> object:  # type: ignore[override]  # of the many arguments only the one used here
        return self._clients[name]


@pytest.fixture
def session() -> _Session:
    return _Session()


def test_it_is_the_one_whose_id_the_stack_tells(session: _Session) -> None:
    outputs = [{"OutputKey": "ApiKeyId", "OutputValue": "id-of-key"}]
    stack = {"StackName": "annas-Api", "CreationTime": 0, "StackStatus": "CREATE_COMPLETE", "Outputs": outputs}
    session.stubs["cloudformation"].add_response("describe_stacks", {"Stacks": [stack]}, {"StackName": "annas-Api"})
    # Without `includeValue` AWS answers all about a key but the key.
    session.stubs["apigateway"].add_response(
        "get_api_key", {"value": "the key"}, {"apiKey": "id-of-key", "includeValue": True}
    )
    assert api_key(session, "annas") == "the key"


def test_without_a_deployed_api_it_says_so(session: _Session) -> None:
    session.stubs["cloudformation"].add_client_error("describe_stacks", "ValidationError", "does not exist")
    with pytest.raises(NotDeployedError, match="Stack annas-Api does not exist"):
        api_key(session, "annas")


def test_without_credentials_it_is_told_without_a_traceback() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "operations", "key"],
        cwd=ROOT,
        env={"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nowhere"},
        capture_output=True,
        text=True,
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("Unable to locate credentials")


def test_without_a_region_it_says_how_to_choose_one() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "operations", "key"], cwd=ROOT, env={"HOME": "/nowhere"}, capture_output=True, text=True
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr.startswith("No AWS region is chosen. In the sandbox, export what `make local` printed;")
    assert len(run.stderr.splitlines()) == 1
