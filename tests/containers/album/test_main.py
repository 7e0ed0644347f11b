"""The album program, as Batch runs it: command line, environment, and the objects that it writes."""

import os
import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime
from io import BytesIO

import pytest
from PIL import Image
from pypdf import PdfReader

from album.__main__ import main
from album.binding import bind
from album.contact_sheet import HEIGHT, WIDTH, ContactSheet
from album.store import AlbumStore
from photos.albums import Album, manifest_key, page_key, pdf_key
from photos.limits import SIZES
from stacks.support.build_context import build_context
from tests.containers.album.conftest import PHOTO, put_album
from tests.lambda_src.mocked_aws import THUMBNAILS, MockedAws


def make_album(aws: MockedAws, album: Album, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Make all pages and the PDF. Returns all objects in the bucket."""
    for index in range(album.page_count):
        monkeypatch.setenv("AWS_BATCH_JOB_ARRAY_INDEX", str(index))
        main(["page", album.id])
    main(["bind", album.id])
    return aws.thumbnails()


@pytest.mark.parametrize("title", ["Ürlaub 日本", "Any (title) \\ <", "\ud800\0\n"])
def test_pages_become_one_pdf_that_is_always_the_same(
    title: str, aws: MockedAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.process("rocket.jpg", PHOTO)
    album = put_album(aws, *["rocket.jpg"] * 24, "deleted.jpg", title=title)
    objects = make_album(aws, album, monkeypatch)
    data = objects[pdf_key("a-1")]
    pdf = PdfReader(BytesIO(data), strict=True)
    assert (pdf.metadata is not None and pdf.metadata.title == title) or not title.isprintable()
    assert [round(float(side) / 72 * 25.4) for side in pdf.pages[0].mediabox[2:]] == [210, 297], "A4"
    assert [page.images[0].image.size for page in pdf.pages if page.images[0].image] == [(WIDTH, HEIGHT)] * 3
    assert [data.count(objects[page_key("a-1", index)]) for index in range(3)] == [1, 1, 1], "pages are not re-encoded"
    assert make_album(aws, album, monkeypatch) == objects


def test_pdf_of_100_pages_fits_in_the_memory_of_the_job() -> None:
    class Store(AlbumStore):
        def __init__(self) -> None:
            self.size = 0

        def read_page(self, album: Album, index: int) -> bytes:
            return jpeg + index.to_bytes(300_000 - len(jpeg), "little")  # data after the end of a JPEG is part of it

        def write_pdf(self, album: Album, pdf: bytes) -> None:
            self.size = len(pdf)

    jpeg = ContactSheet("Title", page=1, page_count=1, cells=12).jpeg()
    store = Store()
    tracemalloc.start()
    try:
        bind(Album("a-1", "Title", "2026-11-24T10:00:00.000Z", ("rocket.jpg",) * 1_200), store)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert store.size > 30_000_000
    assert peak < 200 * 2**20  # the job has 512 MiB, of which Python and boto3 take 100


def test_photo_without_its_largest_thumbnail_becomes_a_placeholder(
    aws: MockedAws, capsys: pytest.CaptureFixture[str]
) -> None:
    for key in ("ready.jpg", "lost.jpg", "damaged.jpg"):
        aws.process(key, PHOTO)
    lost, damaged = (aws.items()[key]["thumbnails"][str(max(SIZES))] for key in ("lost.jpg", "damaged.jpg"))
    aws.s3.delete_object(Bucket=THUMBNAILS, Key=lost)
    aws.s3.put_object(Bucket=THUMBNAILS, Key=damaged, Body=b"damaged")
    aws.process("rejected.jpg", b"no photo")
    aws.catalogue.register("pending.jpg", registered_at=datetime.now(UTC))
    put_album(aws, "ready.jpg", "rejected.jpg", "pending.jpg", "lost.jpg", "damaged.jpg", "deleted.jpg")
    main(["page", "a-1"])
    assert capsys.readouterr().out == "Album a-1, page 1 of 1: 1 photos, 5 missing\n"
    page = Image.open(BytesIO(aws.thumbnails()[page_key("a-1", 0)]))
    assert (page.size, page.info["dpi"], page.format) == ((WIDTH, HEIGHT), (150, 150), "JPEG")


@pytest.mark.parametrize(
    ("arguments", "index", "message"),
    [
        (["page", "a-2"], "0", f"Album a-2: {manifest_key('a-2')} is not in the bucket {THUMBNAILS}"),
        (["page", "a-1"], "7", "Album a-1: Album a-1 has 1 pages, so page index 7 does not exist"),
        (["bind", "a-1"], "0", f"Album a-1: {page_key('a-1', 0)} is not in the bucket {THUMBNAILS}"),
    ],
)
def test_permanent_failure_ends_with_one_line(
    aws: MockedAws, monkeypatch: pytest.MonkeyPatch, arguments: list[str], index: str, message: str
) -> None:
    put_album(aws, "photo.jpg")
    monkeypatch.setenv("AWS_BATCH_JOB_ARRAY_INDEX", index)
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == message


def test_missing_environment_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("THUMBNAILS_BUCKET", raising=False)
    with pytest.raises(SystemExit) as ended:
        main(["page", "a-1"])
    assert ended.value.code == "The environment variable THUMBNAILS_BUCKET is not set"


def test_image_contains_all_modules_of_the_program() -> None:
    """The program starts in the folder that the image is built from, where it cannot import from the repository."""
    ended = subprocess.run(
        [sys.executable, "-c", "import album.binding, album.__main__; album.__main__.main(['--help'])"],
        cwd=build_context("album"),
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "{page,bind}" in ended.stdout
