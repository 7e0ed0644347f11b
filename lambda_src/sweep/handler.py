"""The Lambda function `sweep`: runs the nightly sweep, and writes its report and metrics.

`photos/sweep.py` implements the sweep.

A sweep that exceeds the time of one invocation invokes the function again with its progress, and the next run scans the
catalogue again. The progress is stored only in the event. It therefore cannot become stale or be shared by two sweeps,
a Lambda retry resumes where the failed run started, and the message in the dead-letter queue contains everything needed
to resume. Lambda stops a chain of 16 invocations ("Recursive loop detection" in the AWS Lambda Developer Guide), which
is after about four hours and more than 100,000 photos. The next night starts over, and `make redrive` resumes the
stopped sweep.
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

# Lambda configures the root logger. This line is for other environments.
logging.basicConfig()
log = logging.getLogger("sweep")
log.setLevel(logging.INFO)

# Long timeouts and many attempts, because no client waits, and a failed call would repeat the run.
_CONFIG = Config(connect_timeout=3, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 6})

# Enough for the slowest step that can be in progress.
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
    """The part of the Lambda context that the function uses."""

    function_name: str

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds that are left of this invocation."""


def handler(event: dict[str, Any], context: Context) -> dict[str, Any]:
    """Start a sweep, or resume the `progress` in the event. Returns the progress afterwards."""
    progress = Progress.from_json(event["progress"]) if "progress" in event else Progress(datetime.now(UTC))
    _sweep.run(progress, lambda: context.get_remaining_time_in_millis() > _RESERVE_MILLISECONDS)
    if progress.phase is Phase.DONE:
        _publish(progress, context.function_name)
        return progress.to_json()
    progress.runs += 1
    result = progress.to_json()
    log.info("Out of time: run %d resumes in phase %s after %r", progress.runs, progress.phase, progress.after)
    _lambda.invoke(FunctionName=context.function_name, InvocationType="Event", Payload=json.dumps({"progress": result}))
    return result


def _publish(progress: Progress, function_name: str) -> None:
    """Write the report, named after the UTC day on which the sweep started, and emit its counts as metrics."""
    counts = asdict(progress.counts)
    report = {
        "started_at": progress.started_at.isoformat(timespec="seconds"),
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "runs": progress.runs,
        **counts,
    }
    _thumbnails.write_report(progress.started_at.date().isoformat(), json.dumps(report, indent=2) + "\n")
    # CloudWatch extracts metrics from a log line in the embedded metric format, without a call or a library.
    metrics = [{"Name": name, "Unit": "Count"} for name in counts]
    directive = {"Namespace": "OtherCompute", "Dimensions": [["FunctionName"]], "Metrics": metrics}
    line = {"_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [directive]}}
    print(json.dumps(line | {"FunctionName": function_name, **counts}))
