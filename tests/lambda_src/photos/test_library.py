"""The photo library, and how its operations interact with S3 events that arrive at any time."""

import pytest

from photos.catalogue import Item
from photos.event_ordering import Upload
from photos.keys import filename_of, photo_id
from photos.library import Library, PhotoNotFound
from photos.limits import SIZES
from photos.storage import Originals, Thumbnails
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


def test_photo_is_registered_uploaded_and_deleted(library: Library, aws: MockedAws) -> None:
    item = library.register("a b.jpg")
    assert (item.state, filename_of(item.key), item.id) == ("pending", "a b.jpg", photo_id(item.key))
    assert library.get(item.id) == item
    assert aws.thumbnailer.process_upload(item.key, upload(aws, item)) is Outcome.READY
    found = library.get(item.id)
    assert (found.state, found.created_at) == ("ready", item.created_at)
    library.delete(item.id)
    assert library.get(item.id).state == "ready"  # until the event is processed
    library.delete(item.id)
    aws.thumbnailer.process_deletion(item.key, "03")
    assert_removed(library, aws, item)
    with pytest.raises(PhotoNotFound):
        library.delete(item.id)


def test_delete_removes_a_photo_that_was_not_uploaded(library: Library, aws: MockedAws) -> None:
    item = library.register("a.jpg")
    library.delete(item.id)
    assert_removed(library, aws, item)


def test_deletion_while_thumbnails_are_generated_removes_everything(
    library: Library, aws: MockedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = library.register("a.jpg")
    uploaded = upload(aws, item)
    write = Thumbnails.write

    def delete_and_write(thumbnails: Thumbnails, key: str, webp: bytes) -> None:
        if key.endswith("/256.webp"):  # once: the thumbnails are written at the same time
            library.delete(item.id)
        write(thumbnails, key, webp)

    monkeypatch.setattr(Thumbnails, "write", delete_and_write)
    assert aws.thumbnailer.process_upload(item.key, uploaded) is Outcome.REMOVED
    aws.thumbnailer.process_deletion(item.key, "03")
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
