"""What has to be true in the end, looked up in the buckets, the catalogue, the queues and the report of the sweep."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import md5
from typing import Any

from local.sandbox import Sandbox
from photos.errors import PhotoRejected
from photos.keys import is_thumbnail_key, photo_id
from tests.soak.photos import Outcome
from tests.soak.plan import Plan


class Judge:
    """Compares what is there with what the plan asks for.

    pictures: the files, outcomes: what has to become of them; both by name of the picture
    """

    def __init__(
        self, sandbox: Sandbox, plan: Plan, pictures: Mapping[str, bytes], outcomes: Mapping[str, Outcome]
    ) -> None:
        self._sandbox = sandbox
        self._keys = plan.keys
        self._final: Mapping[str, str] = plan.final
        self._etags = {name: md5(body, usedforsecurity=False).hexdigest() for name, body in pictures.items()}
        self._outcomes = outcomes
        self._s3, self._sqs = sandbox.client("s3"), sandbox.client("sqs")
        self._outputs = sandbox.outputs["Thumbnails"]
        self._queues = {
            "upload queue": self._outputs["UploadQueueUrl"],
            "dead-letter queue": self._outputs["DeadLetterQueueUrl"],
            "dead-letter queue of the sweep": sandbox.outputs["Cron"]["DeadLetterQueueUrl"],
        }

    def expect(self, final: Mapping[str, str]) -> None:
        """From now on the same keys have to hold this in the end."""
        self._final = final

    def wrong_photos(self) -> list[str]:
        """What is wrong with the photos: one line each, none if all is well."""
        return sorted(self._wrong_photos())

    def orphans(self) -> list[str]:
        """Thumbnails that no item names."""
        named = {path for item in self._items().values() for path in item.get("thumbnails", {}).values()}
        ids = {photo_id(key) for key in self._keys}
        return sorted(key for key in self._thumbnails().keys() - named if key.partition("/")[0] in ids)

    def waiting(self) -> dict[str, int]:
        """Messages in each queue, whether anyone may see them now or not."""
        names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        return {
            name: sum(
                int(count)
                for count in self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()
            )
            for name, url in self._queues.items()
        }

    @property
    def states(self) -> Counter[str]:
        """How many photos have to be ready, rejected and deleted."""
        states = Counter(
            "rejected" if isinstance(self._outcomes[name], PhotoRejected) else "ready" for name in self._final.values()
        )
        return states + Counter(deleted=len(self._keys - self._final.keys()))

    def problems(self, progress: Mapping[str, Any]) -> list[str]:
        """All that is wrong. progress: of the last sweep, which found nothing to do"""
        return [
            *self.wrong_photos(),
            *(f"{key!r} is no photo's thumbnail" for key in self.orphans()),
            *self._wrong_report(progress),
            *(f"{count} messages are in the {name}" for name, count in self.waiting().items() if count),
        ]

    def _wrong_report(self, progress: Mapping[str, Any]) -> list[str]:
        """Where the report of a sweep differs from what is there."""
        key = f"reports/{datetime.fromisoformat(progress['started_at']).date().isoformat()}.json"
        report = json.load(self._s3.get_object(Bucket=self._outputs["ThumbnailsBucket"], Key=key)["Body"])
        there = {
            "photos": len(self._objects("OriginalsBucket")),
            "thumbnails": len(self._thumbnails()),
            "queued": 0,
            "removed_items": 0,
            "removed_thumbnails": 0,
        }
        return [
            f"the report says {name} {report[name]}, and there are {count}"
            for name, count in there.items()
            if report[name] != count
        ]

    def _wrong_photos(self) -> Iterator[str]:
        originals, items, thumbnails = self._objects("OriginalsBucket"), self._items(), self._thumbnails()
        for key in self._keys:
            name, item = self._final.get(key), items.get(key)
            if name is None:
                if key in originals or item:
                    yield f"{key!r} was deleted, and there is {item or 'its original'}"
                continue
            if originals.get(key) != self._etags[name]:
                yield f"{key!r}: its original is not the last one that was uploaded"
            elif item is None:
                yield f"{key!r} ({name}) is not in the catalogue"
            elif item.get("etag") != self._etags[name]:
                yield f"{key!r} ({name}): the catalogue speaks of another version"
            else:
                yield from self._wrong_outcome(key, item, self._outcomes[name], thumbnails)

    def _wrong_outcome(
        self, key: str, item: dict[str, Any], expected: Outcome, thumbnails: Mapping[str, str]
    ) -> Iterator[str]:
        if isinstance(expected, PhotoRejected):
            found = item["state"], item.get("code"), item.get("reason"), item.get("thumbnails")
            if found != ("rejected", expected.code, expected.reason, None):
                yield f"{key!r} has to be rejected as {expected.code}, and is {found}"
            return
        named = {int(size): path for size, path in item.get("thumbnails", {}).items()}
        if (item["state"], named.keys(), item.get("code")) != ("ready", expected.keys(), None):
            yield f"{key!r} has to be ready with thumbnails of {list(expected)}, and is {item}"
            return
        for size, webp in expected.items():
            # The ETag of an object put in one piece is its MD5 (S3 API Reference, "Object").
            if thumbnails.get(named[size]) != md5(webp, usedforsecurity=False).hexdigest():
                yield f"{key!r}: its thumbnail of {size} pixels is missing or another picture's"

    def _items(self) -> dict[str, dict[str, Any]]:
        return {item["key"]: item for item in self._sandbox.table_items(self._outputs["CatalogueTable"])}

    def _thumbnails(self) -> dict[str, str]:
        return {key: etag for key, etag in self._objects("ThumbnailsBucket").items() if is_thumbnail_key(key)}

    def _objects(self, bucket: str) -> dict[str, str]:
        """ETags by key."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._outputs[bucket])
        return {entry["Key"]: entry["ETag"].strip('"') for page in pages for entry in page.get("Contents", [])}
