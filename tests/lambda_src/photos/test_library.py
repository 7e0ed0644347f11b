"""What people do with photos, and what becomes of it when it crosses with the events of S3."""

from datetime import UTC, datetime, timedelta

import pytest

from photos.catalogue import Catalogue, Item
from photos.cursor import Cursors, InvalidCursor
from photos.event_ordering import Upload
from photos.keys import filename_of, photo_id
from photos.library import Library, PhotoNotFound
from photos.listing import Listing
from photos.storage import Originals, Thumbnails
from photos.sweep import ABANDONED_AFTER, Progress, Sweep
from photos.thumbnails import Outcome, Thumbnailer
from photos.upload_queue import UploadQueue
from tests.lambda_src.mocked_aws import CATALOGUE, ORIGINALS, THUMBNAILS, MockedAws, jpeg


@pytest.fixture
def library(aws: MockedAws) -> Library:
    return Library(
        Catalogue(aws.dynamodb, CATALOGUE),
        Listing(aws.dynamodb, CATALOGUE),
        Originals(aws.s3, ORIGINALS),
        Cursors(signed_with=CATALOGUE),
    )


@pytest.fixture
def thumbnailer(aws: MockedAws) -> Thumbnailer:
    return Thumbnailer(Originals(aws.s3, ORIGINALS), Thumbnails(aws.s3, THUMBNAILS), Catalogue(aws.dynamodb, CATALOGUE))


def put(aws: MockedAws, item: Item) -> Upload:
    return Upload(aws.put(item.key, jpeg()), "02")


def check_gone(library: Library, aws: MockedAws, item: Item) -> None:
    with pytest.raises(PhotoNotFound):
        library.get(item.id)
    assert aws.items() == {}
    assert aws.thumbnails() == {}
    assert "Contents" not in aws.s3.list_objects_v2(Bucket=ORIGINALS)


def test_announced_uploaded_and_deleted(library: Library, thumbnailer: Thumbnailer, aws: MockedAws) -> None:
    item = library.register("a b.jpg")
    assert (item.state, filename_of(item.key), item.id) == ("pending", "a b.jpg", photo_id(item.key))
    assert library.get(item.id) == item
    assert thumbnailer.uploaded(item.key, put(aws, item)) is Outcome.READY
    found = library.get(item.id)
    assert (found.state, found.created_at) == ("ready", item.created_at)
    library.delete(item.id)
    assert library.get(item.id).state == "ready"  # until the event comes
    library.delete(item.id)
    thumbnailer.deleted(item.key, "03")
    check_gone(library, aws, item)
    with pytest.raises(PhotoNotFound):
        library.delete(item.id)


def test_deleted_before_it_was_uploaded(library: Library, aws: MockedAws) -> None:
    item = library.register("a.jpg")
    library.delete(item.id)
    check_gone(library, aws, item)


def test_deleted_after_the_upload_and_before_its_event(
    library: Library, thumbnailer: Thumbnailer, aws: MockedAws
) -> None:
    item = library.register("a.jpg")
    upload = put(aws, item)
    library.delete(item.id)
    thumbnailer.deleted(item.key, "03")
    assert thumbnailer.uploaded(item.key, upload) is Outcome.REMOVED
    check_gone(library, aws, item)


def test_deleted_while_its_thumbnails_were_made(
    library: Library, thumbnailer: Thumbnailer, aws: MockedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = library.register("a.jpg")
    upload = put(aws, item)
    write = Thumbnails.write

    def delete_and_write(thumbnails: Thumbnails, key: str, webp: bytes) -> None:
        monkeypatch.setattr(Thumbnails, "write", write)
        library.delete(item.id)
        thumbnails.write(key, webp)

    monkeypatch.setattr(Thumbnails, "write", delete_and_write)
    assert thumbnailer.uploaded(item.key, upload) is Outcome.REMOVED
    thumbnailer.deleted(item.key, "03")
    check_gone(library, aws, item)


def test_ready_since_the_index_was_asked(library: Library, thumbnailer: Thumbnailer, aws: MockedAws) -> None:
    item = library.register("a.jpg")
    delete = Originals.delete

    def finish_first(originals: Originals, key: str) -> None:
        thumbnailer.uploaded(key, put(aws, item))
        delete(originals, key)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Originals, "delete", finish_first)
        library.delete(item.id)
    assert len(aws.thumbnails()) == 2, "its event removes them by the item, which therefore must still be there"
    thumbnailer.deleted(item.key, "03")
    check_gone(library, aws, item)


def test_an_upload_that_ends_after_the_deletion_is_a_photo(
    library: Library, thumbnailer: Thumbnailer, aws: MockedAws
) -> None:
    item = library.register("a.jpg")
    library.delete(item.id)
    assert thumbnailer.uploaded(item.key, put(aws, item)) is Outcome.READY
    assert library.get(item.id).state == "ready"
    aws.check_consistent()


def test_one_that_never_came_goes_with_a_sweep(library: Library, aws: MockedAws) -> None:
    item = library.register("a.jpg")
    sweep = Sweep(
        Originals(aws.s3, ORIGINALS),
        Thumbnails(aws.s3, THUMBNAILS),
        Catalogue(aws.dynamodb, CATALOGUE),
        UploadQueue(None, ""),  # type: ignore[arg-type]  # nothing is queued
    )
    sweep.run(Progress(datetime.now(UTC) + ABANDONED_AFTER - timedelta(hours=1)), lambda: True)
    assert library.get(item.id) == item
    sweep.run(Progress(datetime.now(UTC) + ABANDONED_AFTER + timedelta(hours=1)), lambda: True)
    check_gone(library, aws, item)


def test_pages_by_cursor(library: Library) -> None:
    items = [library.register(f"{number}.jpg") for number in range(5)]
    first, cursor = library.page(3)
    second, end = library.page(3, cursor)
    assert {item.id for item in [*first, *second]} == {item.id for item in items}
    assert (len(first), len(second), end) == (3, 2, None)
    for forged in ("", "x", f"{cursor}x"):
        with pytest.raises(InvalidCursor):
            library.page(3, forged)
