"""The album program, as Batch runs it: command line, environment, and what is in the buckets afterwards."""

import os
import subprocess
import sys
from io import BytesIO

import pytest
from PIL import Image
from pypdf import PdfReader

from album.__main__ import main
from album.contact_sheet import HEIGHT, WIDTH
from photos.albums import manifest_key, page_key, pdf_key
from stacks.support.build_context import build_context
from tests.containers.album.conftest import MockedAlbum
from tests.lambda_src.mocked_aws import THUMBNAILS


def make_all_pages(aws: MockedAlbum, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for index in range(count):
        monkeypatch.setenv("AWS_BATCH_JOB_ARRAY_INDEX", str(index))
        main(["page", "a-1"])


def test_pages_of_an_array_become_one_pdf(aws: MockedAlbum, thumbnail: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.ready("rocket.jpg", thumbnail)
    album = aws.album(*["rocket.jpg"] * 25, title="Ürlaub 日本")
    make_all_pages(aws, album.page_count, monkeypatch)
    main(["bind", "a-1"])
    album_pdf = aws.thumbnails()[pdf_key("a-1")]
    pdf = PdfReader(BytesIO(album_pdf), strict=True)
    assert len(pdf.pages) == 3
    assert pdf.metadata is not None and pdf.metadata.title == "Ürlaub 日本"
    assert [round(float(side) / 72 * 25.4) for side in pdf.pages[0].mediabox[2:]] == [210, 297], "A4"
    assert [page.images[0].image.size for page in pdf.pages if page.images[0].image] == [(WIDTH, HEIGHT)] * 3
    pages = [aws.thumbnails()[page_key("a-1", index)] for index in range(3)]
    assert [album_pdf.count(page) for page in pages] == [1, 1, 1], "each page as it is"


def test_a_plain_job_makes_the_only_page(aws: MockedAlbum, thumbnail: bytes) -> None:
    aws.ready("rocket.jpg", thumbnail)
    aws.album("rocket.jpg")
    main(["page", "a-1"])
    page = Image.open(BytesIO(aws.thumbnails()[page_key("a-1", 0)]))
    assert page.size == (WIDTH, HEIGHT)
    assert (page.info["dpi"], page.format) == ((150, 150), "JPEG")


def test_run_twice_it_writes_the_same_bytes(
    aws: MockedAlbum, thumbnail: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.ready("rocket.jpg", thumbnail)
    album = aws.album(*["rocket.jpg", "gone.jpg"] * 10)
    made = []
    for _ in range(2):
        make_all_pages(aws, album.page_count, monkeypatch)
        main(["bind", "a-1"])
        made.append(aws.thumbnails())
    assert made[0] == made[1]


def test_a_photo_that_cannot_be_shown_is_a_gap(
    aws: MockedAlbum, thumbnail: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.ready("ready.jpg", thumbnail)
    aws.item("rejected.jpg", "rejected", code={"S": "broken"}, reason={"S": "This JPEG is damaged."})
    aws.item("pending.jpg", "pending")
    aws.item("lost.jpg", "ready", thumbnails={"M": {"1024": {"S": "nothing here"}}})
    aws.ready("damaged.jpg", b"no picture")
    aws.album("ready.jpg", "rejected.jpg", "pending.jpg", "lost.jpg", "damaged.jpg", "deleted.jpg")
    main(["page", "a-1"])
    assert capsys.readouterr().out == "Album a-1, page 1 of 1: 1 photos, 5 gaps\n"
    assert page_key("a-1", 0) in aws.thumbnails()


@pytest.mark.parametrize(
    ("arguments", "index", "says"),
    [
        (["page", "a-2"], "0", f"Album a-2: {manifest_key('a-2')} is not in the bucket {THUMBNAILS}"),
        (["page", "a-1"], "7", "Album a-1: Album a-1 has 1 pages; there is no page of index 7"),
        (["bind", "a-1"], "0", f"Album a-1: {page_key('a-1', 0)} is not in the bucket {THUMBNAILS}"),
    ],
)
def test_what_can_never_be_done_ends_with_one_line(
    aws: MockedAlbum, monkeypatch: pytest.MonkeyPatch, arguments: list[str], index: str, says: str
) -> None:
    aws.album("photo.jpg")
    monkeypatch.setenv("AWS_BATCH_JOB_ARRAY_INDEX", index)
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == says


def test_a_missing_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("THUMBNAILS_BUCKET", raising=False)
    with pytest.raises(SystemExit) as end:
        main(["page", "a-1"])
    assert end.value.code == "The environment variable THUMBNAILS_BUCKET is not set"


def test_the_image_has_all_that_the_program_imports() -> None:
    """From the folder that the image is built from, where the repository is out of reach."""
    ended = subprocess.run(
        [sys.executable, "-m", "album", "--help"],
        cwd=build_context("album"),
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "{page,bind}" in ended.stdout
