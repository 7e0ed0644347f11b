"""`make redrive`: dead letters go through the service again."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def test_without_credentials_it_is_told_without_a_traceback() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "operations", "redrive"],
        cwd=ROOT,
        env={"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nowhere"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1
    assert run.stderr.startswith("Unable to locate credentials\nIs this the right account?")
