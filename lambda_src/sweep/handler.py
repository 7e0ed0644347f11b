"""Lambda function `sweep`: started nightly, compares what there is and puts it right.

Only minds the clock and tells the result; what is compared is in `photos/sweep.py`.

A sweep that does not fit into one invocation invokes itself with its progress. That progress is nowhere but in
the event: nothing stored can be stale or fought over by two sweeps, Lambda's own retry goes on from where the
run began, and what failed for good lies in the dead-letter queue with all that is needed to go on. Lambda ends
a chain of 16 invocations (Lambda guide, "Recursive loop detection"): after some four hours, which is more than
100,000 photos take. Then the next night begins anew, and `make redrive` goes on.
"""

import json
import logging
import os
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Protocol

import boto3
from botocore.config import Config

from photos.catalogue import Catalogue
from photos.storage import Originals, Thumbnails
from photos.sweep import Phase, Progress, Sweep
from photos.upload_queue import UploadQueue

# Lambda has configured the root logger already; elsewhere this makes the lines visible.
logging.basicConfig()
log = logging.getLogger("sweep")
log.setLevel(logging.INFO)

# Patient: nobody waits, and a failed call would begin the run again.
_CONFIG = Config(connect_timeout=3, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 6})

# For the step that is under way, at its slowest.
_RESERVE_MILLISECONDS = 90_000

_lambda = boto3.client("lambda", config=_CONFIG)
_s3 = boto3.client("s3", config=_CONFIG)
_thumbnails = Thumbnails(_s3, os.environ["THUMBNAILS_BUCKET"])
_sweep = Sweep(
    Originals(_s3, os.environ["ORIGINALS_BUCKET"]),
    _thumbnails,
    Catalogue(boto3.client("dynamodb", config=_CONFIG), os.environ["CATALOGUE_TABLE"]),
    UploadQueue(boto3.client("sqs", config=_CONFIG), os.environ["UPLOAD_QUEUE_URL"]),
)


class Context(Protocol):
    """What is used of the context that Lambda passes."""

    function_name: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends this invocation."""


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Sweep, from the beginning or from the `progress` in the event. Returns the progress made."""
    progress = Progress.from_json(event["progress"]) if "progress" in event else Progress(datetime.now(UTC))
    _sweep.run(progress, lambda: context.get_remaining_time_in_millis() > _RESERVE_MILLISECONDS)
    if progress.phase is Phase.DONE:
        _tell(progress, context.function_name)
        return progress.to_json()
    progress.runs += 1
    answer = progress.to_json()
    log.info("No time left: run %d goes on in phase %s after %r", progress.runs, progress.phase, progress.after)
    _lambda.invoke(FunctionName=context.function_name, InvocationType="Event", Payload=json.dumps({"progress": answer}))
    return answer


def _tell(progress: Progress, function_name: str) -> None:
    """Write the report of the day (UTC) on which the sweep began, and emit its counts as metrics."""
    now = datetime.now(UTC)
    counts = asdict(progress.counts)
    report = {
        "started_at": progress.started_at.isoformat(timespec="seconds"),
        "finished_at": now.isoformat(timespec="seconds"),
        "runs": progress.runs,
        **counts,
    }
    _thumbnails.write_report(progress.started_at.date().isoformat(), json.dumps(report, indent=2) + "\n")
    # CloudWatch makes metrics of a line in this form ("embedded metric format"): no call, no library.
    metrics = {"Namespace": "OtherCompute", "Dimensions": [["FunctionName"]], "Metrics": _metrics(counts)}
    line = {"_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [metrics]}}
    print(json.dumps(line | {"FunctionName": function_name, **counts}))


def _metrics(counts: dict[str, int]) -> list[dict[str, str]]:
    return [{"Name": name, "Unit": "Count"} for name in counts]
