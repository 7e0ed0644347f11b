"""The photo library, and how its operations interact with S3 events that arrive at any time."""

import pytest

from photos.catalogue import Item
from photos.event_ordering import Upload
from photos.library import Library, PhotoNotFound
from photos.limits import SIZES
from photos.storage import Originals
from photos.thumbnails import Outcome
from tests.lambda_src.mocked_aws import ORIGINALS, MockedAws, jpeg


@pytest.fixture
def library(aws: MockedAws) -> Library:
    return Library(aws.catalogue, aws.listing, aws.originals)


def upload(aws: MockedAws, item: Item) -> Upload:
    return aws.upload(item.key, jpeg(), "02")


def assert_removed(library: Library, aws: MockedAws, item: Item) -> None:
    with pytest.raises(PhotoNotFound):
        library.get(item.id)
    assert (aws.items(), aws.thumbnails()) == ({}, {})
    assert "Contents" not in aws.s3.list_objects_v2(Bucket=ORIGINALS)


def test_delete_removes_a_photo_that_was_not_uploaded(library: Library, aws: MockedAws) -> None:
    item = library.register("a.jpg")
    library.delete(item.id)
    assert_removed(library, aws, item)


def test_delete_keeps_the_item_when_the_photo_became_ready_after_the_query(
    library: Library, aws: MockedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = library.register("a.jpg")
    delete = Originals.delete

    def process_upload_first(originals: Originals, key: str) -> None:
        aws.thumbnailer.process_upload(key, upload(aws, item))
        delete(originals, key)

    monkeypatch.setattr(Originals, "delete", process_upload_first)
    library.delete(item.id)
    assert len(aws.thumbnails()) == len(SIZES), "the deletion event finds them through the item"
    aws.thumbnailer.process_deletion(item.key, "03")
    assert_removed(library, aws, item)


def test_upload_that_completes_after_the_deletion_creates_a_photo(library: Library, aws: MockedAws) -> None:
    item = library.register("a.jpg")
    library.delete(item.id)
    assert aws.thumbnailer.process_upload(item.key, upload(aws, item)) is Outcome.READY
    assert library.get(item.id).state == "ready"
    aws.assert_consistent()
