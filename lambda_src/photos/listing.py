"""Queries on the indexes of the catalogue: photos newest first, page by page, and keys of photos by id.

Indexes are eventually consistent, so an item may be some moments old. Code that acts on an item reads the table or S3
again, or uses a conditional write. Items of a list lack `etag` and `sequencer`, which the index does not contain.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from photos.catalogue import LISTING, Item, State, parse_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Position(NamedTuple):
    """A position in the list of photos, newest first: `created_at` and `key` of the last item before it."""

    created_at: str
    key: str


class Listing:
    """Reads items through the indexes of the table."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def page(self, limit: int, *, after: Position | None = None) -> tuple[list[Item], Position | None]:
        """Return up to `limit` photos, newest first, and the position of the next page if there is one.

        One query reads one item more than it returns, so page 1,000 costs the same as page 1. Photos that arrive in the
        meantime are newer and do not move older photos to another page.
        """
        query = self._newest_first() | {"Limit": limit + 1}
        if after:
            # DynamoDB continues from this position even if the item no longer exists.
            query["ExclusiveStartKey"] = {
                "listing": {"S": LISTING},
                "created_at": {"S": after.created_at},
                "key": {"S": after.key},
            }
        response = self._dynamodb.query(**query)
        returned = response["Items"][:limit]
        more = len(response["Items"]) > limit or "LastEvaluatedKey" in response
        last = Position(returned[-1]["created_at"]["S"], returned[-1]["key"]["S"]) if more else None
        return [parse_item(attributes) for attributes in returned], last

    def find_key(self, photo_id: str) -> str | None:
        """Return the object key of the photo with this id."""
        found = self._dynamodb.query(
            TableName=self._table,
            IndexName="by-id",
            KeyConditionExpression="id = :id",
            ExpressionAttributeValues={":id": {"S": photo_id}},
        )["Items"]
        return found[0]["key"]["S"] if found else None

    def newest_ready(self, limit: int) -> list[Item]:
        """Return up to `limit` photos that are ready, newest first."""
        query = self._newest_first()
        query |= {"FilterExpression": "#state = :ready", "ExpressionAttributeNames": {"#state": "state"}}
        query["ExpressionAttributeValues"] |= {":ready": {"S": State.READY}}
        pages = self._dynamodb.get_paginator("query").paginate(**query)
        return [parse_item(item) for item in islice((item for page in pages for item in page["Items"]), limit)]

    def _newest_first(self) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "IndexName": "newest-first",
            "KeyConditionExpression": "listing = :listing",
            "ExpressionAttributeValues": {":listing": {"S": LISTING}},
            "ScanIndexForward": False,
        }
