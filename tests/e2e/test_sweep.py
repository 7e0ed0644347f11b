"""The nightly sweep. The emulator enforces IAM.

`tests/permissions/probes/sweep.py` starts it on schedule, and lets it continue in another invocation.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from local.deployment import Deployment
from tests.e2e.eventually import eventually
from tests.e2e.photos import delete_originals, final_item, put_original, read_object, thumbnails

KEY = "swept/my photo+ü.jpg"


@pytest.fixture
def photo(deployment: Deployment) -> Iterator[dict[str, Any]]:
    """The catalogue item of a photo that is ready."""
    put_original(deployment, KEY)
    yield final_item(deployment, KEY)
    delete_originals(deployment, KEY)


@pytest.fixture(autouse=True)
def no_report(deployment: Deployment) -> None:
    """Delete reports of earlier tests."""
    for key in thumbnails(deployment, "reports/"):
        deployment.client("s3").delete_object(Bucket=deployment.outputs["Thumbnails"]["ThumbnailsBucket"], Key=key)


def _report(deployment: Deployment) -> dict[str, Any]:
    """Return today's report, or an empty dict if there is none."""
    key = f"reports/{datetime.now(UTC).date().isoformat()}.json"
    return json.loads(read_object(deployment, key)) if thumbnails(deployment, key) else {}


def test_sweep_restores_missing_thumbnails(deployment: Deployment, photo: dict[str, Any]) -> None:
    missing = set(photo["thumbnails"].values())
    for key in missing:
        deployment.client("s3").delete_object(Bucket=deployment.outputs["Thumbnails"]["ThumbnailsBucket"], Key=key)
    response = deployment.client("lambda").invoke(FunctionName=deployment.outputs["Cron"]["SweepFunction"])
    assert "FunctionError" not in response, response["Payload"].read()
    assert _report(deployment)["queued"] == 1
    eventually(lambda: missing <= set(thumbnails(deployment)))
