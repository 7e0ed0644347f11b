"""Performs each action of users in a sandbox, and counts its billable units. `usage.py` describes actions and units.

How many messages a batch has depends on time. Therefore, the consumer of the upload queue is paused until one and then
five messages wait, which it receives at once. The difference separates the units of a photo from those of a batch.
Album, page view, and sweep need photos whose content does not matter: copies of one photo, made without events.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Final

import urllib3

from local.demo.api import api_client, expect
from local.demo.catalogue import wait_until
from local.errors import SandboxError
from local.measurements import billable_units, calls
from local.sandbox import Sandbox
from operations.compare.measuring.consumer import consumer_role, event_source_mapping, worker_service
from operations.compare.measuring.results import read_states
from operations.compare.measuring.workload import delete_objects, delete_results
from operations.cost.log_bytes import log_bytes
from operations.cost.usage import Action, ActionUsage, Units
from operations.errors import OperationError
from photos.albums import jobs_key
from photos.event_ordering import Upload
from photos.keys import new_key, photo_id, thumbnail_key
from stacks.support.settings import ThumbnailsOn
from tools.photos import camera_photo, encode

MEGAPIXELS: Final = 12
_BATCH: Final = 5
ALBUM_PHOTOS: Final = 24  # two pages
PAGE_PHOTOS: Final = 50
SWEEP_PHOTOS: Final = 1000

_FUNCTION_STACKS: Final = ("Thumbnails", "Api", "Cron")
_LOG_STACKS: Final = (*_FUNCTION_STACKS, "Workers", "Batch")

_PARALLEL: Final = 8
_SETTLE_SECONDS: Final = 0.5
_TIMEOUT_SECONDS: Final = 60
# So slow that no metric changes the number of workers.
_STOPPED_METRICS: Final = 0.001


class Recorder:
    """Performs the actions in a sandbox, and counts their units. Nothing else may happen in the sandbox meanwhile."""

    def __init__(self, sandbox: Sandbox, thumbnails_on: ThumbnailsOn = "lambda") -> None:
        """Use a sandbox without photos that is deployed with this value of `thumbnails_on`."""
        self._sandbox = sandbox
        self._thumbnails_on = thumbnails_on
        self._outputs = sandbox.outputs["Thumbnails"]
        self._s3, self._dynamodb = sandbox.client("s3"), sandbox.client("dynamodb")
        self._api = api_client(sandbox)
        self._functions = _functions(sandbox)

    def record_uploads(self) -> dict[Action, ActionUsage]:
        """Return the units of the actions that depend on `thumbnails_on`. Raises OperationError and SandboxError."""
        with self._sandbox.emulator.accelerated_metrics(_STOPPED_METRICS):
            uploads = [self._record_batch(size, self._upload_to_bucket, self._wait_until_ready) for size in (1, _BATCH)]
            by_form = [self._record_batch(size, self._upload_by_form, self._wait_until_ready) for size in (1, _BATCH)]
            keys = list(read_states(self._sandbox))
            deletions = [
                self._record_batch(size, lambda: self._delete(keys.pop()), self._wait_until_gone)
                for size in (1, _BATCH)
            ]
            delete_objects(self._sandbox, "OriginalsBucket", keys)
            self._wait_until_gone(keys)
        return {
            "upload-s3": separate(*uploads),
            "upload-api": separate(*by_form),
            "deletion": separate(*deletions),
        }

    def record_copies(self) -> dict[Action, ActionUsage]:
        """Return the units of the actions that need many photos. Raises OperationError and SandboxError."""
        key = self._upload_to_bucket()
        self._wait_until_ready([key])
        with self._copies_of(key) as make_copies:
            make_copies(ALBUM_PHOTOS)
            album = self._record(self._make_album)
            make_copies(PAGE_PHOTOS)
            page_view = self._record(self._view_page)
            make_copies(SWEEP_PHOTOS)
            sweep = self._record(self._sweep)
        usage: dict[Action, dict[str, float]] = {"album": album, "page-view": page_view, "sweep": sweep}
        return {action: ActionUsage(each=_rounded(units), batch={}) for action, units in usage.items()}

    def _record(self, act: Callable[[], object]) -> dict[str, float]:
        """Return the units of what `act` does."""
        before = self._settled_units()
        act()
        after = self._settled_units()
        return {unit: amount - before.get(unit, 0) for unit, amount in after.items()}

    def _record_batch(
        self, size: int, act: Callable[[], str], wait: Callable[[Sequence[str]], None]
    ) -> dict[str, float]:
        """Return the units of an action that happens so often, whose messages the consumer receives at once.

        Args:
            size: How often to act.
            act: Causes a message. Returns the object key of a photo.
            wait: Waits until the messages of these photos are processed.
        """
        role = consumer_role(self._thumbnails_on, self._sandbox)
        receives = (role, "sqs:ReceiveMessage")
        received = calls(self._sandbox.emulator)[receives]

        def act_and_wait() -> None:
            keys = [act() for _ in range(size)]
            self._wait_for_messages(size)
            self._set_consumer_enabled(True)
            wait(keys)
            self._wait_for_messages(0)

        self._set_consumer_enabled(False)
        try:
            units = self._record(act_and_wait)
        finally:
            self._set_consumer_enabled(True)
        if (batches := calls(self._sandbox.emulator)[receives] - received) != 1:
            raise OperationError(f"{size} messages arrived in {batches} batches instead of 1. Run the command again.")
        return units

    def _settled_units(self) -> dict[str, float]:
        """Return the units so far, when nothing changes any more."""
        deadline, previous = time.monotonic() + _TIMEOUT_SECONDS, dict[str, float]()
        while (units := self._units()) != previous:
            if time.monotonic() > deadline:
                raise SandboxError(f"The billable units did not settle within {_TIMEOUT_SECONDS} seconds.")
            previous = units
            time.sleep(_SETTLE_SECONDS)
        return units

    def _units(self) -> dict[str, float]:
        units: dict[str, float] = {}
        for unit, amount in billable_units(self._sandbox.emulator).items():
            kind, slash, function = unit.partition("/")
            name = f"{kind}{slash}{self._functions.get(function, function)}"
            units[name] = units.get(name, 0) + amount
        for stack in _LOG_STACKS:
            if stack in self._sandbox.outputs:
                units[f"log-bytes/{stack}"] = log_bytes(
                    self._sandbox.log_lines(stack), of_function=stack in _FUNCTION_STACKS
                )
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._outputs["ThumbnailsBucket"])
        units["s3-stored-bytes"] = sum(entry["Size"] for page in pages for entry in page.get("Contents", []))
        return units

    def _upload_to_bucket(self) -> str:
        # By a presigned URL, because the requests of this user do not count.
        key = new_key("IMG_0001.jpg")
        url = self._s3.generate_presigned_url(
            "put_object", Params={"Bucket": self._outputs["OriginalsBucket"], "Key": key}
        )
        expect(urllib3.request("PUT", url, body=photo()), 200)
        return key

    def _upload_by_form(self) -> str:
        body = {"filename": "IMG_0001.jpg", "content_type": "image/jpeg", "size": len(photo())}
        created = expect(self._api.request("POST", "photos", body), 201)
        expect(self._api.upload(created["upload"], photo()), 204)
        return next(key for key in read_states(self._sandbox) if photo_id(key) == created["photo"]["id"])

    def _delete(self, key: str) -> str:
        expect(self._api.request("DELETE", f"photos/{photo_id(key)}"), 204)
        return key

    def _view_page(self) -> None:
        page = expect(self._api.request("GET", f"photos?limit={PAGE_PHOTOS}"), 200)
        for photo in page["photos"]:
            smallest = min(photo["thumbnails"], key=int)
            if self._api.fetch(photo["thumbnails"][smallest]).status != 200:
                raise SandboxError(f"The thumbnail of {photo['id']} could not be downloaded.")

    def _make_album(self) -> None:
        album = expect(self._api.request("POST", "albums", {"title": "Recorded"}), 202)
        found = self._s3.get_object(Bucket=self._outputs["ThumbnailsBucket"], Key=jobs_key(album["id"]))
        last_job, batch = json.load(found["Body"])["bind"], self._sandbox.client("batch")
        # Not by the API, whose calls count.
        wait_until(
            self._sandbox,
            "the album is ready",
            lambda: batch.describe_jobs(jobs=[last_job])["jobs"][0]["status"] == "SUCCEEDED",
            stack="Batch",
        )
        album = expect(self._api.request("GET", f"albums/{album['id']}"), 200)
        self._api.fetch(album["url"])

    def _sweep(self) -> None:
        answer = self._sandbox.client("lambda").invoke(FunctionName=self._sandbox.outputs["Cron"]["SweepFunction"])
        progress = json.load(answer["Payload"])
        if progress.get("counts", {}).get("photos") != SWEEP_PHOTOS or progress["counts"]["queued"]:
            raise SandboxError(f"The sweep should find {SWEEP_PHOTOS} photos and nothing to repair: {progress}")

    @contextmanager
    def _copies_of(self, key: str) -> Iterator[Callable[[int], None]]:
        """Yield a function that adds copies of a photo until there are so many photos. Delete all in the end."""
        bucket = self._outputs["OriginalsBucket"]
        notifications = self._s3.get_bucket_notification_configuration(Bucket=bucket)
        del notifications["ResponseMetadata"]
        self._s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
        table, thumbnails = self._outputs["CatalogueTable"], self._outputs["ThumbnailsBucket"]
        item = self._dynamodb.get_item(TableName=table, Key={"key": {"S": key}})["Item"]
        images = {
            size: self._s3.get_object(Bucket=thumbnails, Key=path["S"])["Body"].read()
            for size, path in item["thumbnails"]["M"].items()
        }
        keys = [key]

        def copy(number: int) -> None:
            etag = self._s3.put_object(Bucket=bucket, Key=keys[number], Body=b"-")["ETag"].strip('"')
            upload = Upload(etag, item["sequencer"]["S"])
            paths = {size: thumbnail_key(keys[number], upload, int(size)) for size in images}
            for size, path in paths.items():
                # The sweep only lists them.
                body = images[size] if number < PAGE_PHOTOS else b"-"
                self._s3.put_object(Bucket=thumbnails, Key=path, Body=body)
            changes = {"key": keys[number], "id": photo_id(keys[number]), "etag": etag}
            self._dynamodb.put_item(
                TableName=table,
                Item=item
                | {name: {"S": text} for name, text in changes.items()}
                | {"thumbnails": {"M": {size: {"S": path} for size, path in paths.items()}}},
            )

        def make_copies(photos: int) -> None:
            first = len(keys)
            keys.extend(new_key(f"IMG_{number:04}.jpg") for number in range(first, photos))
            with ThreadPoolExecutor(_PARALLEL) as pool:
                for _ in pool.map(copy, range(first, photos)):
                    pass

        try:
            yield make_copies
        finally:
            delete_objects(self._sandbox, "OriginalsBucket", keys)
            delete_results(self._sandbox)
            self._s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=notifications)

    def _wait_until_ready(self, keys: Sequence[str]) -> None:
        def are_ready() -> bool:
            states = read_states(self._sandbox)
            return all(key in states and states[key]["state"] == "ready" for key in keys)

        wait_until(self._sandbox, f"{len(keys)} photos are ready", are_ready)

    def _wait_until_gone(self, keys: Sequence[str]) -> None:
        wait_until(self._sandbox, "the photos are deleted", lambda: not set(keys) & read_states(self._sandbox).keys())

    def _wait_for_messages(self, number: int) -> None:
        queue = self._outputs["UploadQueueUrl"]
        wait_until(
            self._sandbox,
            f"the upload queue holds {number} messages",
            lambda: self._sandbox.queue_depth(queue) == number,
        )

    def _set_consumer_enabled(self, enabled: bool) -> None:
        """Let the consumer of the upload queue continue, or pause it."""
        if self._thumbnails_on in ("lambda", "lambda-image"):
            mapping = event_source_mapping(self._sandbox)
            self._sandbox.client("lambda").update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)
            return
        ecs, service = self._sandbox.client("ecs"), worker_service(self._sandbox)
        where = {"cluster": service["clusterArn"], "service": service["serviceArn"]}
        ecs.update_service(**where, desiredCount=int(enabled))

        def are_running() -> bool:
            # A worker that is being stopped does not count as running, but still receives messages.
            listed = [
                task
                for status in ("RUNNING", "STOPPED")
                for task in ecs.list_tasks(
                    cluster=where["cluster"], serviceName=service["serviceName"], desiredStatus=status
                )["taskArns"]
            ]
            tasks = ecs.describe_tasks(cluster=where["cluster"], tasks=listed)["tasks"] if listed else []
            states = [task["lastStatus"] for task in tasks if task["lastStatus"] != "STOPPED"]
            return bool(states == ["RUNNING"] * int(enabled))

        wait_until(self._sandbox, f"{int(enabled)} workers run", are_running)


@cache
def photo() -> bytes:
    return encode(camera_photo(MEGAPIXELS), "JPEG")


def separate(one: Units, several: Units) -> ActionUsage:
    """Separate the units of a photo from those of a batch, from a batch of one message and one of `_BATCH`."""
    each = {unit: (several.get(unit, 0) - one.get(unit, 0)) / (_BATCH - 1) for unit in {**one, **several}}
    for unit in each:
        if "bytes" in unit and not unit.startswith("log-bytes"):  # no part of a batch, but random ids
            each[unit] = (one.get(unit, 0) + several.get(unit, 0)) / (_BATCH + 1)
    batch = {unit: one.get(unit, 0) - amount for unit, amount in each.items() if unit in one}
    for unit in batch:
        if "bytes" in unit and not unit.startswith("log-bytes"):
            batch[unit] = 0
    return ActionUsage(each=_rounded(each), batch=_rounded(batch))


def _rounded(units: Units) -> dict[str, float]:
    """Return the units that are not 0, bytes as whole numbers."""
    rounded = {unit: round(amount, 0 if "bytes" in unit else 2) for unit, amount in units.items()}
    return {unit: int(amount) if amount % 1 == 0 else amount for unit, amount in sorted(rounded.items()) if amount}


def _functions(sandbox: Sandbox) -> dict[str, str]:
    """Return the stacks of the functions that record usage, by the name of the function."""
    client = sandbox.client("cloudformation")
    return {
        resource["PhysicalResourceId"]: stack
        for stack in _FUNCTION_STACKS
        if stack in sandbox.outputs
        for page in client.get_paginator("list_stack_resources").paginate(StackName=sandbox.stack_name(stack))
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::Lambda::Function"
    }
