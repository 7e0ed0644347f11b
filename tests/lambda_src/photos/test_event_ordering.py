"""A late event does not overwrite what a newer one wrote: neither thumbnails, nor a rejection, nor a removal."""

from datetime import UTC, datetime

import pytest

from photos.catalogue import Catalogue, StaleEvent
from photos.errors import PhotoRejected
from photos.event_ordering import Upload, pad_sequencer
from tests.lambda_src.mocked_aws import CATALOGUE, MockedAws

KEY = "a.jpg"
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
OLDER, NEWER = Upload("etag-1", "0055AED6DCD90281E5"), Upload("etag-2", "0055AED6DCD90281E6")


@pytest.fixture
def catalogue(aws: MockedAws) -> Catalogue:
    return Catalogue(aws.dynamodb, CATALOGUE)


def test_a_late_event_does_not_overwrite_newer_thumbnails(catalogue: Catalogue, aws: MockedAws) -> None:
    catalogue.set_ready(KEY, NEWER, uploaded_at=NOON, thumbnails={256: "newer"})
    before = aws.items()
    with pytest.raises(StaleEvent):
        catalogue.set_ready(KEY, OLDER, uploaded_at=NOON, thumbnails={256: "older"})
    with pytest.raises(StaleEvent):
        catalogue.set_rejected(KEY, OLDER, uploaded_at=NOON, rejection=PhotoRejected("broken", "It is."))
    with pytest.raises(StaleEvent):
        catalogue.remove(KEY, OLDER.padded_sequencer)
    assert aws.items() == before


def test_a_late_event_does_not_overwrite_a_newer_refusal(catalogue: Catalogue, aws: MockedAws) -> None:
    catalogue.set_rejected(KEY, NEWER, uploaded_at=NOON, rejection=PhotoRejected("broken", "It is."))
    with pytest.raises(StaleEvent):
        catalogue.set_ready(KEY, OLDER, uploaded_at=NOON, thumbnails={256: "older"})
    assert aws.items()[KEY]["state"] == "rejected"


def test_a_newer_event_replaces_and_names_what_it_replaced(catalogue: Catalogue, aws: MockedAws) -> None:
    assert catalogue.set_ready(KEY, OLDER, uploaded_at=NOON, thumbnails={256: "older"}) == set()
    assert catalogue.set_ready(KEY, NEWER, uploaded_at=NOON, thumbnails={256: "newer"}) == {"older"}
    assert aws.items()[KEY]["etag"] == "etag-2"


def test_the_same_event_twice_changes_nothing(catalogue: Catalogue, aws: MockedAws) -> None:
    catalogue.set_ready(KEY, NEWER, uploaded_at=NOON, thumbnails={256: "newer"})
    before = aws.items()
    assert catalogue.set_ready(KEY, NEWER, uploaded_at=NOON, thumbnails={256: "newer"}) == set()
    assert aws.items() == before


def test_an_item_announced_but_not_uploaded_gives_way_to_any_event(catalogue: Catalogue, aws: MockedAws) -> None:
    aws.dynamodb.put_item(TableName=CATALOGUE, Item={"key": {"S": KEY}, "state": {"S": "pending"}})
    catalogue.set_ready(KEY, OLDER, uploaded_at=NOON, thumbnails={256: "older"})
    assert aws.items()[KEY]["state"] == "ready"


def test_the_time_of_creation_is_that_of_the_first_upload(catalogue: Catalogue, aws: MockedAws) -> None:
    catalogue.set_ready(KEY, OLDER, uploaded_at=NOON, thumbnails={})
    catalogue.set_ready(KEY, NEWER, uploaded_at=NOON.replace(hour=13), thumbnails={})
    assert aws.items()[KEY]["created_at"] == "2026-11-24T12:00:00.000Z"


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("0055AED6DCD90281E5", "0055AED6DCD90281E6"),
        ("0055AED6DCD90281E5", "0055aed6dcd90281e6"),
        ("0055AED6DCD90281", "0055AED6DCD90281E5"),
        ("", "0055AED6DCD90281E5"),
    ],
)
def test_sequencers_compare_padded_on_the_right(earlier: str, later: str) -> None:
    assert pad_sequencer(earlier) < pad_sequencer(later)
