"""The catalogue: a DynamoDB table with one item per photo, which holds the state of the photo.

| attribute | meaning |
|---|---|
| `key` | object key of the original; the partition key |
| `id` | opaque and URL-safe |
| `state` | `pending` (registered, not processed yet), `ready`, or `rejected` |
| `etag`, `sequencer` | the upload that the item describes |
| `created_at` | UTC, ISO 8601 with milliseconds |
| `thumbnails` | if ready: map of size in pixels to object key |
| `code`, `reason` | if rejected: a stable error code, and a sentence to display |
| `listing` | always `photos`: the partition key of the index `newest-first`, which sorts all items by `created_at` |

Each index adds a write unit to every write that changes what it contains, and none to others
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes).
`newest-first` contains what a list of photos shows, so it is written with each state. `by-id` contains only `id` and
`key`, which never change, so it is written when an item is added or removed. The code that reads them is in
`photos/listing.py`. The nightly sweep, which needs other orders, scans the table (`photos/snapshot.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from photos.errors import PhotoRejected
from photos.event_ordering import NOT_STALE, Upload, pad_sequencer
from photos.keys import photo_id
from photos.timestamps import format_utc

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LISTING: Final = "photos"

# What the sweep needs. The time that a scan takes is mostly that of parsing attributes.
_SCANNED: Final = ("key", "id", "state", "created_at", "etag", "sequencer", "thumbnails")


class State(StrEnum):
    """The state of a photo."""

    PENDING = "pending"
    READY = "ready"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Item:
    """The item of a photo. The module docstring describes the attributes.

    Attributes:
        etag: Empty while the photo is pending.
        sequencer: Padded. Empty while the photo is pending.
        thumbnails: Size in pixels → object key. Empty unless the photo is ready.
    """

    key: str
    id: str
    state: State
    created_at: datetime
    etag: str = ""
    sequencer: str = ""
    thumbnails: Mapping[int, str] = field(default_factory=dict)
    code: str = ""
    reason: str = ""


class AlreadyRegistered(Exception):
    """The photo already has an item, so nothing was written."""


class StaleEvent(Exception):
    """The item already describes a newer upload, so nothing was written."""


class Catalogue:
    """The table. Every write is one conditional write, so a stale event never overwrites the result of a newer one."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def get(self, key: str) -> Item | None:
        """Return the current item of a photo (a strongly consistent read)."""
        found = self._dynamodb.get_item(TableName=self._table, Key={"key": {"S": key}}, ConsistentRead=True)
        return parse_item(found["Item"]) if "Item" in found else None

    def register(self, key: str, *, registered_at: datetime) -> Item:
        """Create a `pending` item for a photo whose upload was requested.

        Raises:
            AlreadyRegistered: The photo already has an item.
        """
        texts = {
            "key": key,
            "id": photo_id(key),
            "state": State.PENDING.value,
            "created_at": format_utc(registered_at),
            "listing": LISTING,
        }
        attributes: dict[str, Any] = {name: {"S": text} for name, text in texts.items()}
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=attributes,
                ConditionExpression="attribute_not_exists(#key)",
                ExpressionAttributeNames={"#key": "key"},
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException as error:
            raise AlreadyRegistered(key) from error
        return parse_item(attributes)

    def unregister(self, key: str) -> None:
        """Remove the item of a photo if it is still `pending`."""
        with suppress(self._dynamodb.exceptions.ConditionalCheckFailedException):
            self._dynamodb.delete_item(
                TableName=self._table,
                Key={"key": {"S": key}},
                ConditionExpression="#state = :pending",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={":pending": {"S": State.PENDING}},
            )

    def set_ready(
        self, key: str, upload: Upload, *, uploaded_at: datetime, thumbnails: Mapping[int, str]
    ) -> Item | None:
        """Set the photo to `ready`.

        Returns:
            The item before this write, or None if this write created it.

        Raises:
            StaleEvent: The item already describes a newer upload.
        """
        sizes = {str(size): {"S": thumbnail} for size, thumbnail in thumbnails.items()}
        outcome = {"state": {"S": State.READY}, "thumbnails": {"M": sizes}}
        return self._write(key, upload, uploaded_at, outcome, remove="code, reason")

    def set_rejected(self, key: str, upload: Upload, *, uploaded_at: datetime, rejection: PhotoRejected) -> Item | None:
        """Set the photo to `rejected`. Returns and raises what `set_ready` does."""
        outcome = {
            "state": {"S": State.REJECTED},
            "code": {"S": rejection.code},
            "reason": {"S": rejection.reason},
        }
        return self._write(key, upload, uploaded_at, outcome, remove="thumbnails")

    def remove(self, key: str, sequencer: str) -> set[str]:
        """Remove the item of a photo, if there is one.

        Args:
            key: Object key of the original.
            sequencer: Sequencer of the deletion, padded or not.

        Returns:
            The object keys of the thumbnails that the item named.

        Raises:
            StaleEvent: The item describes an upload that is newer than the deletion.
        """
        try:
            response = self._dynamodb.delete_item(
                TableName=self._table,
                Key={"key": {"S": key}},
                ConditionExpression=NOT_STALE,
                ExpressionAttributeValues={":sequencer": {"S": pad_sequencer(sequencer)}},
                ReturnValues="ALL_OLD",
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException as error:
            raise StaleEvent(key) from error
        return set(parse_item(response["Attributes"]).thumbnails.values()) if "Attributes" in response else set()

    def describes(self, key: str, upload: Upload) -> bool:
        """Return whether the item of the photo describes this upload."""
        item = self._dynamodb.get_item(
            TableName=self._table,
            Key={"key": {"S": key}},
            ConsistentRead=True,
            ProjectionExpression="sequencer",
        ).get("Item", {})
        return item.get("sequencer", {}).get("S") == upload.padded_sequencer

    def scan(self) -> Iterator[list[Item]]:
        """Yield all items in no order, by page: what fits in 1 MB. Items lack `code` and `reason`.

        A scan costs half a read unit per 4 KB (eventually consistent), so about a ninth of a read of each item.
        """
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=self._table,
            ProjectionExpression=", ".join(f"#{name}" for name in _SCANNED),
            ExpressionAttributeNames={f"#{name}": name for name in _SCANNED},
        )
        for page in pages:
            yield [parse_item(attributes) for attributes in page["Items"]]

    def _write(
        self, key: str, upload: Upload, uploaded_at: datetime, outcome: Mapping[str, Any], *, remove: str
    ) -> Item | None:
        """Write the outcome of an upload unless the item describes a newer one: the write that decides."""
        values: dict[str, Any] = {
            "id": {"S": photo_id(key)},
            "listing": {"S": LISTING},
            "etag": {"S": upload.etag},
            "sequencer": {"S": upload.padded_sequencer},
            **outcome,
        }
        assignments = ", ".join(f"#{name} = :{name}" for name in values)
        try:
            response = self._dynamodb.update_item(
                TableName=self._table,
                Key={"key": {"S": key}},
                UpdateExpression=f"SET {assignments}, created_at = if_not_exists(created_at, :created_at) "
                f"REMOVE {remove}",
                ConditionExpression=NOT_STALE,
                ExpressionAttributeNames={f"#{name}": name for name in values},  # `state` is a reserved word
                ExpressionAttributeValues={
                    ":created_at": {"S": format_utc(uploaded_at)},
                    **{f":{name}": value for name, value in values.items()},
                },
                ReturnValues="ALL_OLD",
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException as error:
            raise StaleEvent(key) from error
        return parse_item(response["Attributes"]) if "Attributes" in response else None


def parse_item(attributes: Mapping[str, Any]) -> Item:
    """Return the item with these attributes, which are in DynamoDB's JSON format."""
    texts = {name: value["S"] for name, value in attributes.items() if "S" in value}
    return Item(
        key=texts["key"],
        id=texts["id"],
        state=State(texts["state"]),
        created_at=datetime.fromisoformat(texts["created_at"]),
        etag=texts.get("etag", ""),
        sequencer=texts.get("sequencer", ""),
        thumbnails={int(size): path["S"] for size, path in attributes.get("thumbnails", {}).get("M", {}).items()},
        code=texts.get("code", ""),
        reason=texts.get("reason", ""),
    )
