"""Orders of albums: made of what was there then, and told of until the PDF is there."""

from datetime import UTC, datetime, timedelta

import pytest

from photos.album_jobs import AlbumJobs, AlbumState, JobTarget
from photos.album_requests import AlbumNotFound, AlbumRequests, NoPhotos, PhotosNotFound
from photos.albums import Album, jobs_key, manifest_key, page_key, pdf_key
from photos.catalogue import Catalogue
from photos.errors import PhotoRejected
from photos.event_ordering import Upload
from photos.keys import photo_id
from photos.listing import Listing
from tests.lambda_src.mocked_aws import CATALOGUE, THUMBNAILS, MockedAws, RecordedBatch

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
UPLOAD = Upload("e", "1")


@pytest.fixture
def catalogue(aws: MockedAws) -> Catalogue:
    return Catalogue(aws.dynamodb, CATALOGUE)


@pytest.fixture
def batch() -> RecordedBatch:
    return RecordedBatch()


@pytest.fixture
def orders(aws: MockedAws, batch: RecordedBatch) -> AlbumRequests:
    kind = JobTarget("queue", "definition:1")
    jobs = AlbumJobs(batch, aws.s3, THUMBNAILS, page=kind, bind=kind)  # type: ignore[arg-type]  # as far as needed
    return AlbumRequests(Listing(aws.dynamodb, CATALOGUE), jobs, aws.s3, THUMBNAILS)


def ready(catalogue: Catalogue, count: int) -> list[str]:
    """Photos that are ready, the oldest first: their keys."""
    keys = [f"{number}.jpg" for number in range(count)]
    for number, key in enumerate(keys):
        catalogue.set_ready(key, UPLOAD, uploaded_at=NOON + timedelta(seconds=number), thumbnails={256: "t"})
    return keys


def manifest(aws: MockedAws, album_id: str) -> Album:
    return Album.from_json(aws.thumbnails()[manifest_key(album_id)])


def test_of_the_photos_asked_for_in_their_order(orders: AlbumRequests, catalogue: Catalogue, aws: MockedAws) -> None:
    keys = ready(catalogue, 30)[::-3]
    catalogue.set_rejected("refused.jpg", UPLOAD, uploaded_at=NOON, rejection=PhotoRejected("c", "R."))
    keys.append("refused.jpg")  # the job marks the gap
    ordered = orders.create("Holiday", [photo_id(key) for key in keys])
    assert (ordered.state, ordered.pages_done, ordered.album.title) == ("running", 0, "Holiday")
    assert manifest(aws, ordered.album.id).photos == tuple(keys)


def test_of_all_that_are_ready_then_newest_first(orders: AlbumRequests, catalogue: Catalogue, aws: MockedAws) -> None:
    keys = ready(catalogue, 3)
    catalogue.register("pending.jpg", registered_at=NOON)
    catalogue.set_rejected("refused.jpg", UPLOAD, uploaded_at=NOON, rejection=PhotoRejected("c", "R."))
    album_id = orders.create("Holiday").album.id
    catalogue.set_ready("later.jpg", UPLOAD, uploaded_at=NOON, thumbnails={256: "t"})
    catalogue.remove(keys[0], "9")
    assert manifest(aws, album_id).photos == tuple(keys[::-1])


def test_of_as_many_as_an_album_may_have(
    orders: AlbumRequests, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(catalogue, 7)
    monkeypatch.setattr("photos.album_requests.MAX_PHOTOS", 5)
    assert len(orders.create("Holiday").album.photos) == 5


def test_of_photos_that_are_not_there(orders: AlbumRequests, catalogue: Catalogue, batch: RecordedBatch) -> None:
    (known,) = (photo_id(key) for key in ready(catalogue, 1))
    with pytest.raises(PhotosNotFound, match=rf"^No photo has the id {'f' * 32}\.$"):
        orders.create("Holiday", [known, "f" * 32])
    with pytest.raises(PhotosNotFound, match=r" and 20 others\.$"):
        orders.create("Holiday", [f"{number:032}" for number in range(30)])
    assert batch.submitted == []


def test_of_nothing(orders: AlbumRequests, catalogue: Catalogue, batch: RecordedBatch) -> None:
    catalogue.register("pending.jpg", registered_at=NOON)
    with pytest.raises(NoPhotos):
        orders.create("Holiday")
    assert batch.submitted == []


def test_told_page_by_page_until_the_pdf_is_there(orders: AlbumRequests, catalogue: Catalogue, aws: MockedAws) -> None:
    ready(catalogue, 25)
    album = orders.create("Holiday").album
    done = []
    for index in range(3):
        aws.s3.put_object(Bucket=THUMBNAILS, Key=page_key(album.id, index), Body=b"")
        done.append((orders.get(album.id).state, orders.get(album.id).pages_done))
    assert done == [("running", 1), ("running", 2), ("running", 3)]
    aws.s3.put_object(Bucket=THUMBNAILS, Key=pdf_key(album.id), Body=b"")
    found = orders.get(album.id)
    assert (found.state, found.pages_done, found.album) == ("ready", 3, album)


def test_once_the_pdf_is_there_nobody_asks_batch(
    orders: AlbumRequests, catalogue: Catalogue, aws: MockedAws, batch: RecordedBatch
) -> None:
    ready(catalogue, 1)
    album = orders.create("Holiday").album
    aws.s3.put_object(Bucket=THUMBNAILS, Key=pdf_key(album.id), Body=b"")
    batch.status = {}  # forgotten
    assert orders.get(album.id).state is AlbumState.READY


def test_ready_between_two_looks(orders: AlbumRequests, catalogue: Catalogue, batch: RecordedBatch) -> None:
    ready(catalogue, 13)
    album = orders.create("Holiday").album
    batch.status = dict.fromkeys(batch.status, "SUCCEEDED")  # and the PDF was written after we listed the bucket
    found = orders.get(album.id)
    assert (found.state, found.pages_done) == ("ready", 2)


def test_failed_with_a_reason(
    orders: AlbumRequests, catalogue: Catalogue, aws: MockedAws, batch: RecordedBatch
) -> None:
    ready(catalogue, 1)
    album = orders.create("Holiday").album
    batch.status = dict.fromkeys(batch.status, "FAILED")
    found = orders.get(album.id)
    assert (found.state, found.pages_done, found.reason) == ("failed", 0, "Its pages could not be made.")
    aws.s3.delete_object(Bucket=THUMBNAILS, Key=jobs_key(album.id))
    assert orders.get(album.id).reason == "It was not begun."


def test_one_that_is_not_there(orders: AlbumRequests, aws: MockedAws) -> None:
    with pytest.raises(AlbumNotFound):
        orders.get("f" * 32)
    aws.s3.put_object(Bucket=THUMBNAILS, Key=page_key("f" * 32, 0), Body=b"")  # its manifest was removed by hand
    with pytest.raises(AlbumNotFound):
        orders.get("f" * 32)
