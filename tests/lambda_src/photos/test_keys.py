"""Object keys and ids."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photos.event_ordering import Upload
from photos.keys import filename_of, new_key, photo_id, thumbnail_key
from photos.limits import SIZES


def test_photo_ids_are_url_safe_stable_and_distinct() -> None:
    keys = ["a.jpg", "A.jpg", "a.jpg ", "a/jpg", "a+jpg", "a jpg", "a%20jpg", "../../etc/passwd", "ø" * 512, " "]
    ids = [photo_id(key) for key in keys]
    assert all(re.fullmatch(r"[0-9a-f]{32}", it) for it in ids)
    assert ids == [photo_id(key) for key in keys]
    assert len(set(ids)) == len(keys)


def test_each_upload_and_size_has_its_own_thumbnail_key() -> None:
    uploads = [Upload("e1", "01"), Upload("e2", "01"), Upload("e1", "02"), Upload("e1", "")]
    keys = {thumbnail_key("a.jpg", upload, size) for upload in uploads for size in SIZES}
    assert len(keys) == len(uploads) * len(SIZES)
    assert all(key.startswith(f"{photo_id('a.jpg')}/") and key.endswith(".webp") for key in keys)
    assert len(thumbnail_key("k" * 1024, Upload("e" * 40, "0" * 32), max(SIZES)).encode()) <= 1024


@given(st.text())
def test_new_key_is_allowed_by_s3_and_ends_with_a_printable_filename(filename: str) -> None:
    key = new_key(filename)
    assert re.fullmatch(r"uploads/[0-9a-f]{32}/[^/]{1,200}", key)
    assert len(key.encode()) <= 1024
    name = filename_of(key)
    assert key.endswith(f"/{name}")
    assert name.isprintable()
    assert name.strip(" .") == name
    assert "${" not in key, "S3 would insert a name that the client chooses"
    assert new_key(filename) != key


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("a.jpg", "a.jpg"),
        ("Été à Paris (1).JPG", "Été à Paris (1).JPG"),
        ("E\u0301te\u0301.jpg", "Été.jpg"),
        ("写真.heic", "写真.heic"),
        (r"C:\fakepath\a.jpg", "a.jpg"),
        ("../../etc/passwd", "passwd"),
        ("a/..", "photo"),
        ("folder/", "photo"),
        ("a\x00\n\u202eb.jpg", "ab.jpg"),
        ("${filename}", "{filename}"),
        ("\ud800.jpg", "jpg"),
        ("   ", "photo"),
        ("🙂" * 300, "🙂" * 200),
    ],
)
def test_new_key_keeps_the_safe_part_of_the_filename(filename: str, name: str) -> None:
    assert filename_of(new_key(filename)) == name


@pytest.mark.parametrize(
    ("key", "name"),
    [("a.jpg", "a.jpg"), ("a/b c/d.jpg", "d.jpg"), ("/a", "a"), ("a/", "a"), ("a//", "a"), ("/", "/"), (" ", " ")],
)
def test_filename_is_the_last_part_of_the_key(key: str, name: str) -> None:
    assert filename_of(key) == name
