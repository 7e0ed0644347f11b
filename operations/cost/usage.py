"""Recorded usage: the billable units of each action of a user, which `python -m operations.cost.record` counts.

| unit | meaning |
|---|---|
| `s3-put` | requests of the class PUT, COPY, POST, LIST |
| `s3-get` | requests of the class GET, HEAD, and all others |
| `s3-free` | DELETE requests, which are free |
| `sqs-requests` | send by S3, receive of messages, delete, and change of visibility, in steps of 64 KB |
| `dynamodb-write-units`, `dynamodb-read-units` | request units of the table and its indexes |
| `lambda-requests/<stack>` | invocations of the function of a stack |
| `api-requests` | requests to the REST API |
| `firehose-bytes` | records of the access log, in steps of 5 KB |
| `log-bytes/<stack>` | log events of a stack, with the 26 bytes that CloudWatch adds to each |
| `transfer-out-bytes` | bodies of responses to clients, without headers |
| `s3-stored-bytes`, `dynamodb-stored-bytes` | growth of the storage, without the original; negative for a deletion |

Numbers of requests and request units are exact. Bytes are not: log lines contain durations, and images differ by
processor. A presigned URL is about 1 KB longer in AWS, because session tokens of the sandbox are short.

Not recorded, because the sandbox cannot show it: requests that receive no message, durations, traces, what Firehose
writes, and the preflight requests of browsers. Nor the polls of a client that waits for a photo: they are page views.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from stacks.support.settings import ThumbnailsOn

# upload-api: POST /photos, and an upload with the form that it returns, until the photo is ready. A client that waits
#     for this views the page.
# upload-s3: an upload to the bucket, without the API, until the photo is ready.
# deletion: DELETE /photos/{id}, until the item is gone.
# page-view: GET /photos with a page of the gallery, and its small thumbnails. ECS serves the page itself.
# album: POST /albums, its jobs, one GET /albums/{id}, and the download of the PDF.
# sweep: one run of the nightly sweep that finds nothing to repair.
Action = Literal["upload-api", "upload-s3", "deletion", "page-view", "album", "sweep"]

Units = Mapping[str, float]

RECORD: Final = Path(__file__).with_name("recorded_usage.json")


@dataclass(frozen=True, kw_only=True)
class ActionUsage:
    """The billable units of an action.

    Attributes:
        each: Units of each action.
        batch: Units of each batch of messages of the upload queue, in addition.
    """

    each: Units
    batch: Units

    def units(self, batch_size: float = 1) -> dict[str, float]:
        """Return the units of one action if batches have so many messages."""
        return {
            unit: self.each.get(unit, 0) + self.batch.get(unit, 0) / batch_size for unit in {**self.each, **self.batch}
        }


@dataclass(frozen=True, kw_only=True)
class RecordedUsage:
    """The units of all actions.

    Attributes:
        date: The day of the run, in UTC (ISO 8601).
        photo_bytes: Size of each uploaded photo.
        megapixels: Size of each uploaded photo.
        page_photos: Photos of a page view.
        album_photos: Photos of an album.
        sweep_photos: Photos that a sweep compares.
        actions: By action and `thumbnails_on`. The value `lambda` has all actions, the others those that differ.
    """

    date: str
    photo_bytes: int
    megapixels: float
    page_photos: int
    album_photos: int
    sweep_photos: int
    actions: Mapping[Action, Mapping[ThumbnailsOn, ActionUsage]]

    def of(self, action: Action, thumbnails_on: ThumbnailsOn = "lambda") -> ActionUsage:
        """Return the units of an action."""
        recorded = self.actions[action]
        return recorded.get(thumbnails_on, recorded["lambda"])

    def write(self, path: Path = RECORD) -> None:
        """Write the record as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, path: Path = RECORD) -> RecordedUsage:
        """Read a record that `write` wrote."""
        values = json.loads(path.read_text())
        actions = {
            action: {value: ActionUsage(**usage) for value, usage in recorded.items()}
            for action, recorded in values.pop("actions").items()
        }
        return cls(**values, actions=actions)
