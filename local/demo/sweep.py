"""A serverless cron job: the nightly sweep, started now."""

import json

from local.console import step
from local.demo.catalogue import thumbnail_keys, wait_for_item, wait_until
from local.demo.photo import KEY
from local.errors import SandboxError
from local.sandbox import Sandbox


def run_sweep(sandbox: Sandbox) -> None:
    """Lose a thumbnail, and have the sweep bring it back. Raises SandboxError."""
    with step("Lambda → SQS → Lambda: the nightly sweep, started now, makes a lost thumbnail again") as proved:
        bucket = sandbox.outputs["Thumbnails"]["ThumbnailsBucket"]
        lost = wait_for_item(sandbox, KEY, "ready")["thumbnails"]["256"]
        sandbox.client("s3").delete_object(Bucket=bucket, Key=lost)
        answer = sandbox.client("lambda").invoke(FunctionName=sandbox.outputs["Cron"]["SweepFunction"])
        progress = json.load(answer["Payload"])
        if "counts" not in progress:
            raise SandboxError(f"The sweep failed: {progress.get('errorMessage', progress)}")
        wait_until(sandbox, "the thumbnail is back", lambda: lost in thumbnail_keys(sandbox))
        proved.append(", ".join(f"{name.replace('_', ' ')}: {count}" for name, count in progress["counts"].items()))
