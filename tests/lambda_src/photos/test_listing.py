"""The catalogue read by its indexes: whole, in order, and at the same cost everywhere."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID as ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from photos.catalogue import Catalogue, Item
from photos.errors import PhotoRejected
from photos.event_ordering import Upload
from photos.keys import photo_id
from photos.listing import Listing, Position
from tests.lambda_src.mocked_aws import CATALOGUE, MockedAws

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def catalogue(aws: MockedAws) -> Catalogue:
    return Catalogue(aws.dynamodb, CATALOGUE)


@pytest.fixture
def listing(aws: MockedAws) -> Listing:
    return Listing(aws.dynamodb, CATALOGUE)


@pytest.fixture
def calls(aws: MockedAws) -> Counter[str]:
    """How often each operation of DynamoDB was called."""
    counted: Counter[str] = Counter()
    aws.dynamodb.meta.events.register(
        "before-call.dynamodb", lambda model, **_: counted.update([model.name]), unique_id="count"
    )
    return counted


def register(catalogue: Catalogue, number: int) -> str:
    key = f"uploads/{number:05}.jpg"
    catalogue.register(key, registered_at=NOON + timedelta(seconds=number))
    return key


def pages(listing: Listing, limit: int) -> Iterator[list[Item]]:
    place: Position | None = None
    while True:
        items, place = listing.page(limit, after=place)
        yield items
        if place is None:
            return


@pytest.mark.slow
def test_every_page_of_thousands_is_one_query(
    catalogue: Catalogue, listing: Listing, aws: MockedAws, calls: Counter[str]
) -> None:
    keys = [register(catalogue, number) for number in range(2_050)]
    read: list[Any] = []
    aws.dynamodb.meta.events.register(
        "after-call.dynamodb.Query", lambda parsed, **_: read.append((len(parsed["Items"]), parsed["ScannedCount"]))
    )
    calls.clear()
    seen = [[item.key for item in page] for page in pages(listing, 100)]
    assert [key for page in seen for key in page] == keys[::-1]
    assert [len(page) for page in seen] == [100] * 20 + [50]
    assert calls == {"Query": 21}
    # Nothing is read besides the page, and the item that tells whether there is another.
    assert read == [(101, 101)] * 20 + [(50, 50)]


@pytest.mark.slow
def test_each_page_of_a_hundred_thousand_photos_costs_what_the_first_does(
    catalogue: Catalogue, listing: Listing, aws: MockedAws
) -> None:
    register(catalogue, 0)
    (first,) = aws.dynamodb.scan(TableName=CATALOGUE)["Items"]
    table = dynamodb_backends[ACCOUNT_ID][aws.dynamodb.meta.region_name]
    for number in range(1, 100_000):  # not by the client, which would take minutes
        key, created_at = f"{number:05}", (NOON + timedelta(seconds=number)).isoformat()
        table.put_item(CATALOGUE, first | {"key": {"S": key}, "id": {"S": key}, "created_at": {"S": created_at}})
    read: list[Any] = []
    aws.dynamodb.meta.events.register(
        "after-call.dynamodb.Query", lambda parsed, **_: read.append((len(parsed["Items"]), parsed["ScannedCount"]))
    )
    shown = {}
    for page in (1, 500, 999):
        newest = 99_999 - 100 * (page - 1)
        place = Position((NOON + timedelta(seconds=newest + 1)).isoformat(), f"{newest + 1:05}")
        items, _ = listing.page(100, after=None if page == 1 else place)
        shown[page] = [item.key for item in items]
    assert shown == {page: [f"{99_999 - 100 * (page - 1) - line:05}" for line in range(100)] for page in (1, 500, 999)}
    assert read == [(101, 101)] * 3


def test_photos_that_come_and_go_between_pages_move_no_other(catalogue: Catalogue, listing: Listing) -> None:
    keys = [register(catalogue, number) for number in range(40)]
    seen = []
    for number, page in enumerate(pages(listing, 7)):
        seen += [item.key for item in page]
        register(catalogue, 1_000 + number)
        catalogue.unregister(page[-1].key)  # where the next page begins
        catalogue.unregister(page[0].key)
    assert seen == keys[::-1]


def test_photos_of_the_same_moment_are_neither_repeated_nor_skipped(catalogue: Catalogue, listing: Listing) -> None:
    keys = {f"{number}.jpg" for number in range(25)}
    for key in keys:
        catalogue.register(key, registered_at=NOON)
    seen = [item.key for page in pages(listing, 4) for item in page]
    assert len(seen) == len(keys)
    assert set(seen) == keys


@pytest.mark.parametrize("photos", [0, 3, 6])
def test_no_page_follows_the_last_photo(catalogue: Catalogue, listing: Listing, photos: int) -> None:
    for number in range(photos):
        register(catalogue, number)
    assert [len(page) for page in pages(listing, 3)] == ([3] * (photos // 3) or [0])


def test_found_by_id_in_one_query(catalogue: Catalogue, listing: Listing, calls: Counter[str]) -> None:
    key = register(catalogue, 1)
    register(catalogue, 2)
    calls.clear()
    found = listing.find(photo_id(key))
    assert found is not None
    assert found.key == key
    assert listing.find(photo_id("other")) is None
    assert calls == {"Query": 2}


def test_ready_ones_newest_first(catalogue: Catalogue, listing: Listing) -> None:
    keys = [register(catalogue, number) for number in range(9)]
    upload = Upload("e", "1")
    for key in keys[:6]:
        catalogue.set_ready(key, upload, uploaded_at=NOON, thumbnails={256: "t"})
    catalogue.set_rejected(keys[6], upload, uploaded_at=NOON, rejection=PhotoRejected("c", "R."))
    assert [item.key for item in listing.ready(4)] == keys[5:1:-1]
    assert len(listing.ready(100)) == 6
