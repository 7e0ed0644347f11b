"""The nightly sweep, started now: it compares originals, thumbnails, and catalogue, and requeues what is missing."""

import json

from local.console import step
from local.demo.catalogue import thumbnail_keys, wait_for_item, wait_until
from local.demo.consumer import consumer
from local.demo.photo import KEY
from local.errors import SandboxError
from local.sandbox import Sandbox


def run_sweep(sandbox: Sandbox) -> None:
    """Delete a thumbnail, and verify that the sweep restores it. Raises SandboxError."""
    compute = consumer(sandbox)
    with step(f"Lambda → SQS → {compute}: restore a deleted thumbnail with the nightly sweep, started now") as findings:
        bucket = sandbox.outputs["Thumbnails"]["ThumbnailsBucket"]
        deleted = next(iter(wait_for_item(sandbox, KEY, "ready")["thumbnails"].values()))
        sandbox.client("s3").delete_object(Bucket=bucket, Key=deleted)
        answer = sandbox.client("lambda").invoke(FunctionName=sandbox.outputs["Cron"]["SweepFunction"])
        progress = json.load(answer["Payload"])
        if "counts" not in progress:
            raise SandboxError(f"The sweep failed: {progress.get('errorMessage', progress)}")
        wait_until(sandbox, "the thumbnail is restored", lambda: deleted in thumbnail_keys(sandbox))
        counts = {name.replace("_", " "): count for name, count in progress["counts"].items()}
        findings.append(", ".join(f"{name}: {count}" for name, count in counts.items()))
