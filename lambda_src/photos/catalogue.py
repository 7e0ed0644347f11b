"""The catalogue: a DynamoDB table with one item per photo, which says what became of it.

| attribute | |
|---|---|
| `key` | of the original; the partition key |
| `id` | opaque and URL-safe |
| `state` | `pending` (announced, not uploaded), `ready` or `rejected` |
| `etag`, `sequencer` | the upload that the item speaks of |
| `created_at` | UTC, ISO 8601 with milliseconds |
| `thumbnails` | if ready: size in pixels → object key |
| `code`, `reason` | if rejected: for programs, and a sentence for people |
| `listing` | always `photos`: the partition of the indexes, which keep all items in an order |

Three indexes: `newest-first` (by `created_at`), `by-key` and `by-id`. They lag the table by moments: what is
read there and acted upon is asked of the table again, or acted upon by a conditional write.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from photos.errors import PhotoRejected
from photos.event_ordering import NOT_STALE, Upload
from photos.keys import photo_id
from photos.timestamps import format_utc

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LISTING = "photos"


class State(StrEnum):
    """What became of a photo."""

    PENDING = "pending"
    READY = "ready"
    REJECTED = "rejected"


@dataclass(frozen=True)
class Item:
    """What the catalogue says of one photo; the attributes are those of the table above.

    etag, sequencer: empty while pending
    thumbnails: pixels → object key; empty unless ready
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


class StaleEvent(Exception):
    """The catalogue speaks of a newer upload already; nothing was written."""


class Catalogue:
    """The table. Every write to it is one conditional write: the newest upload wins."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def get(self, key: str) -> Item | None:
        """What is known of this photo now; None if nothing is."""
        found = self._dynamodb.get_item(TableName=self._table, Key={"key": {"S": key}}, ConsistentRead=True)
        return parse_item(found["Item"]) if "Item" in found else None

    def register(self, key: str, *, registered_at: datetime) -> Item:
        """Make an item, `pending`, for a photo that is to be uploaded. Raises StaleEvent if there is one already."""
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
            raise StaleEvent(key) from error
        return parse_item(attributes)

    def unregister(self, key: str) -> None:
        """Remove an announcement. If the photo came after all, or was never announced, nothing happens."""
        with suppress(self._dynamodb.exceptions.ConditionalCheckFailedException):
            self._dynamodb.delete_item(
                TableName=self._table,
                Key={"key": {"S": key}},
                ConditionExpression="#state = :pending",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={":pending": {"S": State.PENDING}},
            )

    def set_ready(self, key: str, upload: Upload, *, uploaded_at: datetime, thumbnails: Mapping[int, str]) -> set[str]:
        """Make the photo `ready`. Returns the object keys of the thumbnails this replaced. Raises StaleEvent."""
        sizes = {str(size): {"S": path} for size, path in thumbnails.items()}
        replaced = self._update(
            key,
            upload,
            uploaded_at,
            "SET #state = :state, thumbnails = :thumbnails REMOVE code, reason",
            {":state": {"S": "ready"}, ":thumbnails": {"M": sizes}},
        )
        return replaced - set(thumbnails.values())

    def set_rejected(self, key: str, upload: Upload, *, uploaded_at: datetime, rejection: PhotoRejected) -> set[str]:
        """Make the photo `rejected`. Returns the object keys of the thumbnails this replaced. Raises StaleEvent."""
        return self._update(
            key,
            upload,
            uploaded_at,
            "SET #state = :state, code = :code, reason = :reason REMOVE thumbnails",
            {":state": {"S": "rejected"}, ":code": {"S": rejection.code}, ":reason": {"S": rejection.reason}},
        )

    def remove(self, key: str, sequencer: str) -> set[str]:
        """Remove the item, unless it speaks of a newer upload: then raises StaleEvent.

        Returns the object keys of the thumbnails it had. No item is no error.
        """
        try:
            answer = self._dynamodb.delete_item(
                TableName=self._table,
                Key={"key": {"S": key}},
                ConditionExpression=NOT_STALE,
                ExpressionAttributeValues={":sequencer": {"S": sequencer}},
                ReturnValues="ALL_OLD",
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException as error:
            raise StaleEvent(key) from error
        return _thumbnails(answer.get("Attributes", {}))

    def describes(self, key: str, upload: Upload) -> bool:
        """Whether the item of this photo is the one of this upload."""
        item = self._dynamodb.get_item(
            TableName=self._table,
            Key={"key": {"S": key}},
            ConsistentRead=True,
            ProjectionExpression="sequencer",
        ).get("Item", {})
        return item.get("sequencer", {}).get("S") == upload.padded_sequencer

    def items_by(self, order: Literal["key", "id"], *, after: str = "") -> Iterator[Item]:
        """Every item in the order of its key or id, as UTF-8 bytes compare; from behind `after` on."""
        names, values, condition = {"#listing": "listing"}, {":listing": {"S": LISTING}}, "#listing = :listing"
        if after:  # an empty string is no value for a key
            names |= {"#order": order}
            values |= {":after": {"S": after}}
            condition += " AND #order > :after"
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=f"by-{order}",
            KeyConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
        )
        for page in pages:
            for attributes in page["Items"]:
                yield parse_item(attributes)

    def _update(
        self, key: str, upload: Upload, uploaded_at: datetime, expression: str, values: dict[str, Any]
    ) -> set[str]:
        common = "id = :id, listing = :listing, etag = :etag, sequencer = :sequencer, "
        common += "created_at = if_not_exists(created_at, :created_at), "
        try:
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key={"key": {"S": key}},
                UpdateExpression=expression.replace("SET ", f"SET {common}"),
                ConditionExpression=NOT_STALE,
                ExpressionAttributeNames={"#state": "state"},  # a reserved word
                ExpressionAttributeValues={
                    ":id": {"S": photo_id(key)},
                    ":listing": {"S": LISTING},
                    ":etag": {"S": upload.etag},
                    ":sequencer": {"S": upload.padded_sequencer},
                    ":created_at": {"S": format_utc(uploaded_at)},
                    **values,
                },
                ReturnValues="ALL_OLD",
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException as error:
            raise StaleEvent(key) from error
        return _thumbnails(answer.get("Attributes", {}))


def _thumbnails(attributes: Mapping[str, Any]) -> set[str]:
    return {path["S"] for path in attributes.get("thumbnails", {}).get("M", {}).values()}


def parse_item(attributes: Mapping[str, Any]) -> Item:
    """The item of these attributes, which are as DynamoDB tells them."""
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
