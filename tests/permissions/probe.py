"""Probes, which are tasks that a role performs, and the context in which they run."""

import json
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import uuid4

from PIL import Image

from local.api_client import ApiClient
from local.errors import SandboxError
from local.sandbox import Sandbox
from photos.albums import Album, manifest_key
from tests.e2e.photos import catalogue, delete_originals, final_item, originals, put_original, read_object, thumbnails
from tests.lambda_src.photos.images import encode
from tests.permissions.authorization import AuthorizationLog, Decision
from tests.permissions.resources import DeployedResources
from tests.permissions.roles import Permission

# Prefix of the keys of photos that probes put into the bucket, and file name of those that they upload with the API.
PREFIX = "permissions/"
FILENAME = "permissions.png"

_TIMEOUT_SECONDS = 120
# How long a probe waits for its result after IAM denied the revoked permission. Another statement can still allow the
# request, or a fallback can produce the result.
_SECONDS_AFTER_DENIAL = 1
_QUEUES = (
    ("Thumbnails", "UploadQueueUrl"),
    ("Thumbnails", "DeadLetterQueueUrl"),
    ("Cron", "DeadLetterQueueUrl"),
)


class ProbeFailed(RuntimeError):
    """A role could not perform its task. The message says which result is missing or wrong."""


class ProbeContext:
    """The shared state of all trials: sandbox, resources, authorization log, and one photo that is ready."""

    def __init__(self, sandbox: Sandbox, resources: DeployedResources, log: AuthorizationLog) -> None:
        self.sandbox = sandbox
        self.resources = resources
        self.log = log
        self.originals = sandbox.outputs["Thumbnails"]["OriginalsBucket"]
        self.thumbnails = sandbox.outputs["Thumbnails"]["ThumbnailsBucket"]
        self.table = sandbox.outputs["Thumbnails"]["CatalogueTable"]
        self.s3 = sandbox.client("s3")
        self.photo = self.put_photo()
        assert final_item(sandbox, self.photo)["state"] == "ready"

    @cached_property
    def api(self) -> ApiClient:
        """A client of the API, with the key."""
        return ApiClient(self.sandbox.outputs["Api"]["ApiUrl"], self.sandbox.api_key())

    def put_photo(self) -> str:
        """Put a photo with a random color into the originals bucket. Returns its key."""
        image = Image.new("RGB", (32, 24), tuple(uuid4().bytes[:3]))
        key = f"{PREFIX}{uuid4().hex}.png"
        put_original(self.sandbox, key, encode(image, "PNG"))
        return key

    def new_album(self, photo: str = "") -> Album:
        """Write the manifest of an album with this photo, by default the one that is ready."""
        album = Album(uuid4().hex, "Permissions", "2026-11-24T10:00:00.000Z", (photo or self.photo,))
        self.put_object(manifest_key(album.id), album.to_json())
        return album

    def put_object(self, key: str, body: bytes) -> None:
        """Put an object into the thumbnails bucket."""
        self.s3.put_object(Bucket=self.thumbnails, Key=key, Body=body)

    def object_exists(self, key: str) -> bool:
        """Whether the thumbnails bucket contains an object."""
        return bool(thumbnails(self.sandbox, key))

    def read_json(self, key: str) -> Any:
        """Return the content of an object in the thumbnails bucket."""
        return json.loads(read_object(self.sandbox, key))

    def item(self, key: str) -> dict[str, Any]:
        """Return the catalogue item of a photo, or an empty dict."""
        return catalogue(self.sandbox).get(key, {})

    def put_item(self, attributes: Mapping[str, str], thumbnails: Mapping[str, str]) -> None:
        """Put an item with string attributes and the object keys of its thumbnails into the catalogue."""
        strings = {name: {"S": value} for name, value in attributes.items()}
        paths = {"M": {size: {"S": path} for size, path in thumbnails.items()}}
        self.sandbox.client("dynamodb").put_item(TableName=self.table, Item={**strings, "thumbnails": paths})

    def delete_item(self, key: str) -> None:
        """Delete an item from the catalogue."""
        self.sandbox.client("dynamodb").delete_item(TableName=self.table, Key={"key": {"S": key}})

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """Invoke a function and return its result. Raises ProbeFailed with the function's error."""
        answer = self.sandbox.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
        result = json.load(answer["Payload"])
        if "FunctionError" in answer:
            raise ProbeFailed(f"{result['errorType']}: {result['errorMessage']}")
        return result

    def invoke_async(self, function: str, event: dict[str, Any]) -> None:
        """Invoke a function with the invocation type Event."""
        self.sandbox.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event))

    def purge_queues(self) -> None:
        """Delete the messages of probes that failed."""
        for stack, output in _QUEUES:
            if stack in self.sandbox.outputs:
                self.sandbox.client("sqs").purge_queue(QueueUrl=self.sandbox.outputs[stack][output])

    def wait_until_idle(self) -> None:
        """Wait until no upload and no job of an earlier trial is in progress."""
        uploads = self.sandbox.outputs["Thumbnails"]["UploadQueueUrl"]
        batch, outputs = self.sandbox.client("batch"), self.sandbox.outputs.get("Batch", {})
        active = [
            {"jobQueue": outputs[queue], "jobStatus": status}
            for queue in {"JobQueue", "BindJobQueue"} & outputs.keys()
            for status in ("PENDING", "RUNNABLE", "STARTING", "RUNNING")
        ]
        self.wait_until(
            lambda: (
                not self.sandbox.queue_depth(uploads)
                and not any(batch.list_jobs(**jobs)["jobSummaryList"] for jobs in active)
            )
        )

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition. Raises SandboxError after two minutes."""
        deadline = time.monotonic() + _TIMEOUT_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise SandboxError(f"Work of an earlier trial is still in progress after {_TIMEOUT_SECONDS} seconds")
            time.sleep(0.05)

    def clean_up(self) -> None:
        """Delete the photos, items, and messages that the probes left behind."""
        self.purge_queues()
        items = catalogue(self.sandbox)
        own = [key for key in {*items, *originals(self.sandbox)} if key.startswith(PREFIX) or FILENAME in key]
        for key in own:
            if items.get(key, {}).get("state") == "pending":  # no original whose deletion would remove the item
                self.delete_item(key)
        delete_originals(self.sandbox, *own)
        self.wait_until_idle()


class Trial:
    """One run of a probe.

    Attributes:
        context: The shared state of all trials.
        cleanup: Callbacks that run after the revoked permission is restored.
    """

    def __init__(self, context: ProbeContext, revoked: Permission | None = None) -> None:
        self.context = context
        self.cleanup = ExitStack()
        self._revoked = revoked
        self._decisions: list[Decision] = []
        context.log.read_new()  # decisions of earlier trials

    @property
    def decisions(self) -> list[Decision]:
        """All decisions since the trial began."""
        self._decisions += self.context.log.read_new()
        return self._decisions

    @property
    def was_denied(self) -> bool:
        """Whether IAM denied a request that the revoked permission covers."""
        revoked = self._revoked
        return revoked is not None and any(not it.allowed and revoked.covers(it) for it in self.decisions)

    def count_requests(self, role: str, action: str) -> int:
        """Count the requests of a role for an action, allowed or denied."""
        return sum((it.role, it.request.action) == (role, action) for it in self.decisions)

    def wait_until(self, expected: str, condition: Callable[[], bool]) -> None:
        """Wait two minutes for a condition, or one second after IAM denied the revoked permission.

        Raises ProbeFailed with `expected`, the condition in words.
        """
        deadline, denied = time.monotonic() + _TIMEOUT_SECONDS, False
        while not condition():
            if not denied and self.was_denied:
                deadline, denied = time.monotonic() + _SECONDS_AFTER_DENIAL, True
            if time.monotonic() > deadline:
                raise ProbeFailed(f"did not happen: {expected}")
            time.sleep(0.05)


@dataclass(frozen=True)
class Probe:
    """A task that a role performs.

    Attributes:
        task: What the role does, such as "List photos".
        run: Performs the task. Raises ProbeFailed if the result is missing or wrong.
        expected_denials: Actions that IAM denies even with all permissions, as part of the task.
    """

    task: str
    run: Callable[[Trial], None]
    expected_denials: frozenset[str] = frozenset()


def probe(run: Callable[[Trial], None], expected_denials: frozenset[str] = frozenset()) -> Probe:
    """Decorate a function as a probe. Its docstring names the task."""
    return Probe((run.__doc__ or "").rstrip("."), run, expected_denials)
