"""Sends the files through a deployment, and waits for the results."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from operations.compare.measuring.consumer import count_workers
from operations.compare.measuring.files import File
from operations.compare.measuring.results import CONNECTIONS, read_states
from operations.errors import OperationError

if TYPE_CHECKING:
    from local.deployment import Deployment

_POLL_SECONDS = 1
_SECONDS_BETWEEN_LINES = 10  # of progress
# S3 deletes at most this many objects in a call (S3 API Reference, "DeleteObjects").
_DELETE_BATCH = 1000


def upload(deployment: Deployment, files: Mapping[str, File]) -> None:
    """Write the files to the originals bucket, several at a time."""
    s3, bucket = deployment.client("s3"), deployment.outputs["Thumbnails"]["OriginalsBucket"]

    def put(entry: tuple[str, File]) -> None:
        s3.put_object(Bucket=bucket, Key=entry[0], Body=entry[1].body)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for _ in pool.map(put, files.items()):
            pass


def wait_until_idle(option: str, deployment: Deployment, *, patience: float) -> None:
    """Wait until no worker and no instance for workers runs, because a deployment starts one.

    Args:
        option: The compute, for messages.
        deployment: A deployment with workers.
        patience: Seconds without progress after which to stop.

    Raises:
        OperationError: A worker still runs.
    """

    def progress() -> tuple[bool, str]:
        tasks, instances = count_workers(deployment)
        return not tasks and not instances, f"running workers: {tasks}, instances for them: {instances}"

    _wait(progress, patience, lambda running: OperationError(f"{option}: did not scale to zero ({running})."))


def wait_for_results(option: str, deployment: Deployment, files: Mapping[str, File], *, patience: float) -> None:
    """Wait until every file is ready or rejected.

    Args:
        option: The compute that processes the files, for messages.
        deployment: The deployment that received the files.
        files: The files by object key.
        patience: Seconds without progress after which to stop.

    Raises:
        OperationError: A file is neither ready nor rejected.
    """
    missing = list(files)

    def progress() -> tuple[bool, str]:
        items = read_states(deployment)
        missing[:] = [key for key in files if key not in items or items[key]["state"] == "pending"]
        return not missing, f"{len(files) - len(missing)} of {len(files)} files are ready or rejected"

    _wait(
        progress,
        patience,
        lambda finished: OperationError(
            f"{option}: photo {missing[0]} ({files[missing[0]].kind}): missing, because it is neither ready nor "
            f"rejected {patience:.0f} seconds after the last result ({finished})."
        ),
    )


def _wait(progress: Callable[[], tuple[bool, str]], patience: float, error: Callable[[str], OperationError]) -> None:
    """Wait until work is done, and print its progress.

    Args:
        progress: Returns whether the work is done, and what is done so far, to print.
        patience: Seconds after which to stop if nothing changes.
        error: Creates the error from what was done.
    """
    previous = ""
    changed = printed = time.monotonic()
    while True:
        done, state = progress()
        now = time.monotonic()
        if done:
            return
        if state != previous:
            previous, changed = state, now
        if now - changed >= patience:
            raise error(state)
        if now - printed > _SECONDS_BETWEEN_LINES:
            printed = now
            print(f"      {state}", flush=True)
        time.sleep(_POLL_SECONDS)


def delete_results(deployment: Deployment) -> None:
    """Delete all thumbnails and catalogue items, as in a bucket that was filled before the service existed."""
    delete_objects(deployment, "ThumbnailsBucket", list(modification_times(deployment, "ThumbnailsBucket")))
    table, dynamodb = deployment.outputs["Thumbnails"]["CatalogueTable"], deployment.client("dynamodb")
    for key in read_states(deployment):
        dynamodb.delete_item(TableName=table, Key={"key": {"S": key}})


def delete_objects(deployment: Deployment, bucket: str, keys: Sequence[str]) -> None:
    """Delete objects of a bucket.

    Args:
        deployment: The deployment.
        bucket: The output of `Thumbnails` that names the bucket.
        keys: The object keys.
    """
    for start in range(0, len(keys), _DELETE_BATCH):
        batch = {"Objects": [{"Key": key} for key in keys[start : start + _DELETE_BATCH]]}
        deployment.client("s3").delete_objects(Bucket=deployment.outputs["Thumbnails"][bucket], Delete=batch)


def modification_times(deployment: Deployment, bucket: str) -> dict[str, Any]:
    """Return when each object of a bucket was written (UTC, to the second), by object key.

    Args:
        deployment: The deployment.
        bucket: The output of `Thumbnails` that names the bucket.
    """
    pages = deployment.client("s3").get_paginator("list_objects_v2")
    listed = pages.paginate(Bucket=deployment.outputs["Thumbnails"][bucket])
    return {entry["Key"]: entry["LastModified"] for page in listed for entry in page.get("Contents", [])}
