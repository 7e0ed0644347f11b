"""Comparison of buckets, catalogue, queues, and the sweep's report with the state that a plan leads to."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import md5
from typing import Any

from local.deployment import Deployment
from photos.errors import PhotoRejected
from photos.keys import is_thumbnail_key, photo_id
from tests.e2e.photos import catalogue
from tests.soak.photos import Outcome
from tests.soak.plan import Plan


class Verifier:
    """Finds differences between the actual and the expected state."""

    def __init__(
        self, deployment: Deployment, plan: Plan, images: Mapping[str, bytes], outcomes: Mapping[str, Outcome]
    ) -> None:
        """Expect the final state of a plan.

        Args:
            images: The files by name.
            outcomes: The expected results, by name.
        """
        self._deployment = deployment
        self._keys = plan.keys
        self._final: Mapping[str, str] = plan.final
        self._etags = {name: _md5(image) for name, image in images.items()}
        self._outcomes = outcomes
        self._s3 = deployment.client("s3")
        self._outputs = deployment.outputs["Thumbnails"]
        self._queues = {
            "upload queue": self._outputs["UploadQueueUrl"],
            "dead-letter queue": self._outputs["DeadLetterQueueUrl"],
            "dead-letter queue of the sweep": deployment.outputs["Cron"]["DeadLetterQueueUrl"],
        }

    def expect(self, final: Mapping[str, str]) -> None:
        """Expect another final state of the same keys."""
        self._final = final

    def wrong_photos(self) -> list[str]:
        """Return one line for each photo that differs from the expected state."""
        originals, items, thumbnails = self._objects("OriginalsBucket"), catalogue(self._deployment), self._thumbnails()
        return [
            f"{key!r} ({self._final.get(key, 'deleted')}): {problem}"
            for key in sorted(self._keys)
            for problem in self._photo_problems(key, originals.get(key), items.get(key), thumbnails)
        ]

    def orphans(self) -> list[str]:
        """Return the thumbnails of the plan's photos that no catalogue item refers to."""
        referenced = {
            path for item in catalogue(self._deployment).values() for path in item.get("thumbnails", {}).values()
        }
        ids = {photo_id(key) for key in self._keys}
        return sorted(key for key in self._thumbnails().keys() - referenced if key.partition("/")[0] in ids)

    def queue_depths(self) -> dict[str, int]:
        """Return the number of messages in each queue."""
        return {name: self._deployment.queue_depth(url) for name, url in self._queues.items()}

    @property
    def states(self) -> Counter[str]:
        """Expected number of photos by state: ready, rejected, and deleted."""
        rejected = [isinstance(self._outcomes[name], PhotoRejected) for name in self._final.values()]
        deleted = len(self._keys - self._final.keys())
        return Counter(rejected=sum(rejected), ready=len(rejected) - sum(rejected), deleted=deleted)

    def problems(self, progress: Mapping[str, Any]) -> list[str]:
        """Return all differences, after a sweep with this progress that had nothing to repair."""
        return [
            *self.wrong_photos(),
            *(f"{key!r}: orphaned thumbnail" for key in self.orphans()),
            *self._report_problems(progress),
            *(f"{count} messages in the {name}" for name, count in self.queue_depths().items() if count),
        ]

    def _report_problems(self, progress: Mapping[str, Any]) -> list[str]:
        key = f"reports/{datetime.fromisoformat(progress['started_at']).date().isoformat()}.json"
        report = json.load(self._s3.get_object(Bucket=self._outputs["ThumbnailsBucket"], Key=key)["Body"])
        expected = {
            "photos": len(self._objects("OriginalsBucket")),
            "thumbnails": len(self._thumbnails()),
            "queued": 0,
            "removed_items": 0,
            "removed_thumbnails": 0,
        }
        return [
            f"the sweep's report: {name} is {report[name]}, expected {count}"
            for name, count in expected.items()
            if report[name] != count
        ]

    def _photo_problems(
        self, key: str, original: str | None, item: dict[str, Any] | None, thumbnails: Mapping[str, str]
    ) -> Iterator[str]:
        name = self._final.get(key)
        if name is None:
            if original or item:
                yield f"still exists: {item or 'original'}"
        elif original != self._etags[name]:
            yield "the original is not the latest upload"
        elif item is None:
            yield "no catalogue item"
        elif item.get("etag") != self._etags[name]:
            yield "the catalogue item describes another version"
        else:
            yield from _outcome_problems(item, self._outcomes[name], thumbnails)

    def _thumbnails(self) -> dict[str, str]:
        return {key: etag for key, etag in self._objects("ThumbnailsBucket").items() if is_thumbnail_key(key)}

    def _objects(self, bucket: str) -> dict[str, str]:
        """Return the ETags of a bucket's objects by key."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._outputs[bucket])
        return {entry["Key"]: entry["ETag"].strip('"') for page in pages for entry in page.get("Contents", [])}


def _outcome_problems(item: dict[str, Any], expected: Outcome, thumbnails: Mapping[str, str]) -> Iterator[str]:
    if isinstance(expected, PhotoRejected):
        found = item["state"], item.get("code"), item.get("reason"), item.get("thumbnails")
        if found != ("rejected", expected.code, expected.reason, None):
            yield f"expected rejection {expected.code}, found {found}"
        return
    paths = {int(size): path for size, path in item.get("thumbnails", {}).items()}
    if (item["state"], paths.keys(), item.get("code")) != ("ready", expected.keys(), None):
        yield f"expected ready with thumbnails of {list(expected)} pixels, found {item}"
        return
    for size, webp in expected.items():
        if thumbnails.get(paths[size]) != _md5(webp):
            yield f"the thumbnail of {size} pixels is missing or shows another image"


def _md5(body: bytes) -> str:
    """The ETag of an object that is not a multipart upload (S3 API Reference, "Object")."""
    return md5(body, usedforsecurity=False).hexdigest()
