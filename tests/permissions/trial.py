"""Doing a piece of work of some role, once, and telling whether it was done."""

import io
import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from PIL import Image

from local.api_client import ApiClient
from local.demo.catalogue import catalogue_items, wait_for_item
from local.errors import SandboxError
from local.sandbox import Sandbox
from photos.albums import Album, manifest_key
from tests.permissions.decisions import Decision, Decisions
from tests.permissions.grants import Grant
from tests.permissions.names import Names

# Of all photos, and of those that come by the API.
PREFIX = "privileges/"
FILENAME = "privileges.png"

_PATIENCE_SECONDS = 30
# So long may what was denied go on and come to its end nevertheless.
_AFTER_DENIAL_SECONDS = 1


class Failed(RuntimeError):
    """The work was not done. The message says what is not as it should be."""


class Bench:
    """What all trials share: the sandbox, what is decided in it, and one photo that is ready."""

    def __init__(self, sandbox: Sandbox, names: Names, decisions: Decisions) -> None:
        self.sandbox = sandbox
        self.names = names
        self.decisions = decisions
        self.api = ApiClient(sandbox.outputs["Api"]["ApiUrl"], sandbox.api_key())
        self.originals = sandbox.outputs["Thumbnails"]["OriginalsBucket"]
        self.thumbnails = sandbox.outputs["Thumbnails"]["ThumbnailsBucket"]
        self.s3 = sandbox.client("s3")
        self.photo = self.upload_photo()
        wait_for_item(sandbox, self.photo, "ready")

    def upload_photo(self) -> str:
        """Put one into the bucket. Returns its key."""
        key = f"{PREFIX}{uuid4().hex}.png"
        self.s3.put_object(Bucket=self.originals, Key=key, Body=_photo())
        return key

    def new_album(self, photo: str = "") -> Album:
        """One of this photo, or of the one that is ready: its manifest is there, and nothing else."""
        album = Album(uuid4().hex, "Privileges", "2026-11-24T10:00:00.000Z", (photo or self.photo,))
        self.put(manifest_key(album.id), album.to_json())
        return album

    def put(self, key: str, body: bytes) -> None:
        """Put an object into the bucket of thumbnails."""
        self.s3.put_object(Bucket=self.thumbnails, Key=key, Body=body)

    def item(self, key: str) -> dict[str, Any]:
        """What the catalogue says of a photo; empty if nothing."""
        return next((item for item in catalogue_items(self.sandbox) if item["key"] == key), {})

    def there(self, key: str) -> bool:
        """Whether the bucket of thumbnails has this object."""
        return bool(self.s3.list_objects_v2(Bucket=self.thumbnails, Prefix=key).get("Contents"))

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """What a function answers. Raises Failed with its error."""
        answer = self.sandbox.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
        said = json.load(answer["Payload"])
        if "FunctionError" in answer:
            raise Failed(f"{said['errorType']}: {said['errorMessage']}")
        return said

    def start(self, function: str, event: dict[str, Any]) -> None:
        """Have a function run, and do not wait for it."""
        self.sandbox.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event))

    def waiting(self, stack: str, output: str = "DeadLetterQueueUrl") -> int:
        """Messages in a queue, those in work included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        url = self.sandbox.outputs[stack][output]
        answer = self.sandbox.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return sum(map(int, answer["Attributes"].values()))

    def purge(self) -> None:
        """Forget the messages of what failed, and what failed for good."""
        sqs, outputs = self.sandbox.client("sqs"), self.sandbox.outputs
        for stack, output in (
            ("Thumbnails", "UploadQueueUrl"),
            ("Thumbnails", "DeadLetterQueueUrl"),
            ("Cron", "DeadLetterQueueUrl"),
        ):
            sqs.purge_queue(QueueUrl=outputs[stack][output])

    def settle(self) -> None:
        """Wait until nothing is in work that an earlier trial has begun."""
        self.wait(lambda: not self.waiting("Thumbnails", "UploadQueueUrl") and not self._jobs())

    def clean(self) -> None:
        """Remove what would trouble whoever uses the sandbox next: photos, and what fails."""
        self.purge()
        table = self.sandbox.outputs["Thumbnails"]["CatalogueTable"]
        for item in self._own_items():
            if item["state"] == "pending":  # no event tells that it never came
                self.sandbox.client("dynamodb").delete_item(TableName=table, Key={"key": {"S": item["key"]}})
            self.s3.delete_object(Bucket=self.originals, Key=item["key"])
        self.wait(lambda: not self._own_items())
        self.settle()

    def _own_items(self) -> list[dict[str, Any]]:
        return [
            item for item in catalogue_items(self.sandbox) if item["key"].startswith(PREFIX) or FILENAME in item["key"]
        ]

    def _jobs(self) -> bool:
        batch, outputs = self.sandbox.client("batch"), self.sandbox.outputs["Batch"]
        return any(
            batch.list_jobs(jobQueue=outputs[queue], jobStatus=status)["jobSummaryList"]
            for queue in ("JobQueue", "BindJobQueue")
            for status in ("PENDING", "RUNNABLE", "STARTING", "RUNNING")
        )

    def wait(self, look: Callable[[], bool]) -> None:
        """Return when it is true. Raises SandboxError if that does not come."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not look():
            if time.monotonic() > deadline:
                raise SandboxError(f"Not within {_PATIENCE_SECONDS} seconds: what an earlier trial began has ended.")
            time.sleep(0.05)


class Trial:
    """One run of a probe.

    without: the right that was taken away for it
    """

    def __init__(self, bench: Bench, without: Grant | None = None) -> None:
        self.bench = bench
        self.afterwards = ExitStack()  # when all rights are there again
        self._without = without
        self._decided: list[Decision] = []
        bench.decisions.new()

    @property
    def decided(self) -> list[Decision]:
        """All that was decided so far."""
        self._decided += self.bench.decisions.new()
        return self._decided

    @property
    def denied(self) -> bool:
        """Whether what the missing right is for was asked and denied."""
        without = self._without
        return without is not None and any(not made.allowed and without.covers(made) for made in self.decided)

    def asked_for(self, role: str, action: str) -> int:
        """How often the role of this name asked for that, allowed or denied."""
        return sum((made.role, made.asked.action) == (role, action) for made in self.decided)

    def until(self, what: str, look: Callable[[], bool]) -> None:
        """Return when it is true. Raises Failed if that does not come, or soon after it was denied what it needs."""
        deadline, denied = time.monotonic() + _PATIENCE_SECONDS, False
        while not look():
            if not denied and self.denied:
                deadline, denied = time.monotonic() + _AFTER_DENIAL_SECONDS, True
            if time.monotonic() > deadline:
                raise Failed(f"not so: {what}")
            time.sleep(0.05)


@dataclass(frozen=True)
class Probe:
    """A piece of work that some role does.

    what: a sentence that is true when it was done
    refused: actions that are denied as a part of it
    """

    what: str
    run: Callable[[Trial], None]
    refused: frozenset[str] = frozenset()


def probe(*, refused: tuple[str, ...] = ()) -> Callable[[Callable[[Trial], None]], Probe]:
    """Makes a probe of a function; its docstring is what is true when it returns."""
    return lambda run: Probe((run.__doc__ or "").rstrip("."), run, frozenset(refused))


def _photo() -> bytes:
    """A small one, unlike all others."""
    file = io.BytesIO()
    colour = tuple(uuid4().bytes[:3])
    Image.new("RGB", (32, 24), colour).save(file, "PNG")
    return file.getvalue()
