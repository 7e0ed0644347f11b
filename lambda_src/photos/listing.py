"""The catalogue as its indexes tell it: newest first, page by page, and by id.

The indexes lag the table by moments. That may show a photo as it was a moment ago; what acts upon it asks the
table or S3 again.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from photos.catalogue import LISTING, Item, State, parse_item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Position(NamedTuple):
    """Where in the list of photos, newest first, a page ends: `created_at` and `key` of its last item."""

    created_at: str
    key: str


class Listing:
    """Reads items through the indexes."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def page(self, limit: int, *, after: Position | None = None) -> tuple[list[Item], Position | None]:
        """The newest photos, or those that follow `after`: `limit` at most. With it, where to go on if there are more.

        One query that reads one item more than it returns, however far down the list: page 1,000 costs what page 1
        does. Photos that come meanwhile are newer, so they move none of the older ones to another page.
        """
        query = self._newest_first() | {"Limit": limit + 1}
        if after:
            # It need not be there any more: DynamoDB goes on from where it would be.
            query["ExclusiveStartKey"] = {
                "listing": {"S": LISTING},
                "created_at": {"S": after.created_at},
                "key": {"S": after.key},
            }
        answer = self._dynamodb.query(**query)
        shown = answer["Items"][:limit]
        more = len(answer["Items"]) > limit or "LastEvaluatedKey" in answer
        last = Position(shown[-1]["created_at"]["S"], shown[-1]["key"]["S"]) if more else None
        return [parse_item(attributes) for attributes in shown], last

    def find(self, photo_id: str) -> Item | None:
        """The photo of this id."""
        found = self._dynamodb.query(
            TableName=self._table,
            IndexName="by-id",
            KeyConditionExpression="listing = :listing AND id = :id",
            ExpressionAttributeValues={":listing": {"S": LISTING}, ":id": {"S": photo_id}},
        )["Items"]
        return parse_item(found[0]) if found else None

    def ready(self, limit: int) -> list[Item]:
        """The newest photos that are ready."""
        query = self._newest_first()
        query |= {"FilterExpression": "#state = :ready", "ExpressionAttributeNames": {"#state": "state"}}
        query["ExpressionAttributeValues"] |= {":ready": {"S": State.READY}}
        pages = self._dynamodb.get_paginator("query").paginate(**query)
        return [
            parse_item(attributes) for attributes in islice((item for page in pages for item in page["Items"]), limit)
        ]

    def _newest_first(self) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "IndexName": "newest-first",
            "KeyConditionExpression": "listing = :listing",
            "ExpressionAttributeValues": {":listing": {"S": LISTING}},
            "ScanIndexForward": False,
        }
