"""The REST API, fuzzed with requests that Schemathesis generates from its OpenAPI document."""

import os
import subprocess
import sys
from pathlib import Path

from local.emulator import ROOT
from local.sandbox import Sandbox
from tests.e2e.api.api_requests import UNLIMITED, usage_plan_key


def test_api_conforms_to_the_openapi_document(sandbox: Sandbox, url: str, tmp_path: Path) -> None:
    excluded = [
        "positive_data_acceptance",  # Well-formed ids and cursors are rejected if they do not exist.
        "unsupported_method",  # API Gateway answers 404, not 405: it does not distinguish unknown methods from paths.
    ]
    with usage_plan_key(sandbox, **UNLIMITED) as key:
        run = subprocess.run(
            [
                *(Path(sys.executable).with_name("schemathesis"), "run", ROOT / "docs" / "openapi.json"),
                *("--url", url, "--header", f"X-Api-Key: {key}", "--max-examples", "10"),
                *("--exclude-checks", ",".join(excluded), "--generation-database", "none", "--no-color"),
            ],
            cwd=tmp_path,
            env=os.environ | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
            capture_output=True,
            text=True,
        )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr
    assert "Tested: 7" in run.stdout
