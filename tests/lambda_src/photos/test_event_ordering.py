"""A stale event overwrites nothing that a newer event of the same photo wrote."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from photos.catalogue import AlreadyRegistered, Catalogue, Item, StaleEvent
from photos.errors import PhotoRejected
from photos.event_ordering import Upload, pad_sequencer
from tests.lambda_src.mocked_aws import MockedAws

KEY = "a.jpg"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
OLDER, NEWER = Upload("etag-1", "0055AED6DCD90281E5"), Upload("etag-2", "0055AED6DCD90281E6")


def set_ready(catalogue: Catalogue, upload: Upload, at: datetime = NOON) -> Item | None:
    return catalogue.set_ready(KEY, upload, uploaded_at=at, thumbnails={256: f"thumbnail of {upload.etag}"})


def set_rejected(catalogue: Catalogue, upload: Upload) -> Item | None:
    return catalogue.set_rejected(KEY, upload, uploaded_at=NOON, rejection=PhotoRejected("broken", "It is."))


@pytest.mark.guarantee("Loses no photo")
@pytest.mark.parametrize("newer", [set_ready, set_rejected])
def test_stale_event_does_not_overwrite_newer_thumbnail_or_rejection(
    catalogue: Catalogue, aws: MockedAws, newer: Callable[[Catalogue, Upload], Item | None]
) -> None:
    newer(catalogue, NEWER)
    before = aws.items()
    stale_writes: list[Callable[[], object]] = [
        lambda: set_ready(catalogue, OLDER),
        lambda: set_rejected(catalogue, OLDER),
        lambda: catalogue.remove(KEY, OLDER.sequencer),
    ]
    for write in stale_writes:
        with pytest.raises(StaleEvent):
            write()
    assert aws.items() == before


def test_newer_event_replaces_the_item_and_returns_the_replaced_one(catalogue: Catalogue, aws: MockedAws) -> None:
    assert set_ready(catalogue, OLDER) is None
    replaced = set_ready(catalogue, NEWER, at=NOON.replace(hour=13))
    assert replaced
    assert (replaced.sequencer, replaced.thumbnails) == (OLDER.padded_sequencer, {256: "thumbnail of etag-1"})
    item = aws.items()[KEY]
    assert item["etag"] == "etag-2"
    assert item["created_at"] == "2026-11-24T12:00:00.000Z", "the time of the first upload"


def test_any_event_replaces_a_pending_item(catalogue: Catalogue, aws: MockedAws) -> None:
    registered_at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    item = catalogue.register(KEY, registered_at=registered_at)
    assert (item.state, item.created_at) == ("pending", registered_at)
    set_ready(catalogue, Upload("etag", ""))
    assert (aws.items()[KEY]["state"], aws.items()[KEY]["created_at"]) == ("ready", "2026-01-02T03:04:05.000Z")
    with pytest.raises(AlreadyRegistered):
        catalogue.register(KEY, registered_at=registered_at)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("0055AED6DCD90281E5", "0055AED6DCD90281E6"),
        ("0055aed6dcd90281e5", "0055AED6DCD90281E6"),
        ("0055AED6DCD90281", "0055AED6DCD90281E5"),
        ("", "0055AED6DCD90281E5"),
    ],
)
def test_padded_sequencers_sort_in_the_order_of_events(earlier: str, later: str) -> None:
    assert pad_sequencer(earlier) < pad_sequencer(later)
