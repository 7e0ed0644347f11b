"""Album requests: the photos are fixed at creation, and the progress is reported until the PDF exists."""

from datetime import UTC, datetime, timedelta

import pytest

from photos.album_jobs import AlbumJobs, JobTarget
from photos.album_requests import AlbumNotFound, AlbumRequests
from photos.albums import Album, manifest_key, page_key
from photos.catalogue import Catalogue
from photos.errors import PhotoRejected
from photos.event_ordering import Upload
from photos.keys import photo_id
from tests.lambda_src.mocked_aws import THUMBNAILS, MockedAws, RecordedBatch

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
UPLOAD = Upload("e", "1")


@pytest.fixture
def requests(aws: MockedAws, batch: RecordedBatch) -> AlbumRequests:
    target = JobTarget("queue", "definition:1")
    jobs = AlbumJobs(batch, aws.s3, THUMBNAILS, page=target, bind=target)  # type: ignore[arg-type]  # a fake
    return AlbumRequests(aws.listing, jobs, aws.s3, THUMBNAILS)


def set_ready(catalogue: Catalogue, count: int) -> list[str]:
    """Create photos that are ready. Returns their keys, oldest first."""
    keys = [f"{number}.jpg" for number in range(count)]
    for number, key in enumerate(keys):
        catalogue.set_ready(key, UPLOAD, uploaded_at=NOON + timedelta(seconds=number), thumbnails={256: "t"})
    return keys


def set_rejected(catalogue: Catalogue) -> str:
    rejection = PhotoRejected("c", "R.")
    catalogue.set_rejected("rejected.jpg", UPLOAD, uploaded_at=NOON, rejection=rejection)
    return "rejected.jpg"


def photos_of(aws: MockedAws, album: Album) -> list[str]:
    return list(Album.from_json(aws.thumbnails()[manifest_key(album.id)]).photos)


def write(aws: MockedAws, key: str) -> None:
    aws.s3.put_object(Bucket=THUMBNAILS, Key=key, Body=b"")


def test_album_contains_the_requested_photos_in_their_order(
    requests: AlbumRequests, catalogue: Catalogue, aws: MockedAws
) -> None:
    keys = [*set_ready(catalogue, 30)[::-3], set_rejected(catalogue)]  # the job leaves a gap for a rejected photo
    created = requests.create("Holiday", [photo_id(key) for key in keys])
    assert (created.state, created.pages_done, created.album.title) == ("running", 0, "Holiday")
    assert photos_of(aws, created.album) == keys


def test_title_loses_unprintable_characters_like_a_filename(requests: AlbumRequests, catalogue: Catalogue) -> None:
    set_ready(catalogue, 1)
    assert requests.create("Été\x00\n \u202egpj.\u2066 写真 🙂").album.title == "Été gpj. 写真 🙂"


def test_album_contains_all_ready_photos_up_to_the_maximum_by_default(
    requests: AlbumRequests, catalogue: Catalogue, aws: MockedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = set_ready(catalogue, 3)
    catalogue.register("pending.jpg", registered_at=NOON)
    set_rejected(catalogue)
    album = requests.create("Holiday").album
    catalogue.set_ready("later.jpg", UPLOAD, uploaded_at=NOON, thumbnails={256: "t"})
    catalogue.remove(keys[0], "9")
    assert photos_of(aws, album) == keys[::-1]
    monkeypatch.setattr("photos.album_requests.MAX_PHOTOS", 2)
    assert len(requests.create("Holiday").album.photos) == 2


def test_album_is_ready_when_the_pdf_is_written_after_the_listing(
    requests: AlbumRequests, catalogue: Catalogue, batch: RecordedBatch
) -> None:
    set_ready(catalogue, 13)
    album = requests.create("Holiday").album
    batch.status = dict.fromkeys(batch.status, "SUCCEEDED")
    found = requests.get(album.id)
    assert (found.state, found.pages_done) == ("ready", 2)


def test_album_without_manifest_is_not_found(requests: AlbumRequests, aws: MockedAws) -> None:
    with pytest.raises(AlbumNotFound):
        requests.get("f" * 32)
    write(aws, page_key("f" * 32, 0))
    with pytest.raises(AlbumNotFound):
        requests.get("f" * 32)
