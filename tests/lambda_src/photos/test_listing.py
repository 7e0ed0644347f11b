"""Queries on the indexes: complete, in order, and at the same cost on every page."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from photos.catalogue import Catalogue, Item
from photos.errors import PhotoRejected
from photos.event_ordering import Upload
from photos.keys import photo_id
from photos.listing import Listing, Position
from tests.lambda_src.mocked_aws import MockedAws

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def queries(aws: MockedAws) -> list[tuple[int, int]]:
    """Items returned and items read by each query. Other calls to DynamoDB that read or write are counted as (0, 0)."""
    counts: list[tuple[int, int]] = []

    def count(parsed: dict[str, Any], **_: Any) -> None:
        counts.append((len(parsed.get("Items", [])), parsed.get("ScannedCount", 0)))

    aws.dynamodb.meta.events.register("after-call.dynamodb", count)
    return counts


def register(catalogue: Catalogue, number: int) -> str:
    key = f"uploads/{number:05}.jpg"
    catalogue.register(key, registered_at=NOON + timedelta(seconds=number))
    return key


def pages(listing: Listing, limit: int) -> Iterator[list[Item]]:
    position: Position | None = None
    while True:
        items, position = listing.page(limit, after=position)
        yield items
        if position is None:
            return


def test_every_page_is_one_query_that_reads_one_item_more(
    catalogue: Catalogue, listing: Listing, queries: list[tuple[int, int]]
) -> None:
    keys = [register(catalogue, number) for number in range(201)]
    queries.clear()
    assert [[item.key for item in page] for page in pages(listing, 3)] == [
        keys[::-1][start : start + 3] for start in range(0, 201, 3)
    ]
    assert queries == [(4, 4)] * 66 + [(3, 3)]


def test_pages_stay_stable_while_photos_are_added_and_removed(catalogue: Catalogue, listing: Listing) -> None:
    keys = [register(catalogue, number) for number in range(40)]
    seen = []
    for number, page in enumerate(pages(listing, 7)):
        seen += [item.key for item in page]
        register(catalogue, 1_000 + number)
        catalogue.unregister(page[-1].key)  # the position where the next page starts
        catalogue.unregister(page[0].key)
    assert seen == keys[::-1]


def test_pages_neither_repeat_nor_skip_photos_of_the_same_time(catalogue: Catalogue, listing: Listing) -> None:
    keys = [f"{number}.jpg" for number in range(25)]
    for key in keys:
        catalogue.register(key, registered_at=NOON)
    assert sorted(item.key for page in pages(listing, 4) for item in page) == sorted(keys)


def test_find_key_finds_a_photo_by_id_with_one_query(
    catalogue: Catalogue, listing: Listing, queries: list[tuple[int, int]]
) -> None:
    key = register(catalogue, 1)
    register(catalogue, 2)
    queries.clear()
    assert listing.find_key(photo_id(key)) == key
    assert listing.find_key(photo_id("other")) is None
    assert queries == [(1, 1), (0, 0)]


def test_newest_ready_skips_pending_and_rejected_photos(catalogue: Catalogue, listing: Listing) -> None:
    keys = [register(catalogue, number) for number in range(9)]
    upload = Upload("e", "1")
    for key in keys[:6]:
        catalogue.set_ready(key, upload, uploaded_at=NOON, thumbnails={256: "t"})
    catalogue.set_rejected(keys[6], upload, uploaded_at=NOON, rejection=PhotoRejected("c", "R."))
    assert [item.key for item in listing.newest_ready(4)] == keys[5:1:-1]
    assert len(listing.newest_ready(100)) == 6
