"""Names of photos and thumbnails."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photos.event_ordering import Upload
from photos.keys import filename_of, new_key, photo_id, thumbnail_key


@pytest.mark.parametrize("key", ["a.jpg", "a b/ü+1.jpg", "../../etc/passwd", "ø" * 512, " ", "%2e%2e/"])
def test_an_id_is_url_safe_and_always_the_same(key: str) -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", photo_id(key))
    assert photo_id(key) == photo_id(key)


def test_keys_that_differ_in_anything_have_different_ids() -> None:
    keys = ["a.jpg", "A.jpg", "a.jpg ", "a/jpg", "a+jpg", "a jpg", "a%20jpg"]
    assert len({photo_id(key) for key in keys}) == len(keys)


def test_each_upload_has_thumbnails_of_its_own() -> None:
    uploads = [Upload("e1", "01"), Upload("e2", "01"), Upload("e1", "02"), Upload("e1", "")]
    paths = {thumbnail_key("a.jpg", upload, size) for upload in uploads for size in (256, 1024)}
    assert len(paths) == 8
    assert all(path.startswith(f"{photo_id('a.jpg')}/") and path.endswith(".webp") for path in paths)
    assert "e1" in thumbnail_key("a.jpg", uploads[0], 256)


def test_a_key_as_long_as_s3_allows_leads_to_one_that_s3_allows() -> None:
    assert len(thumbnail_key("k" * 1024, Upload("e" * 40, "0" * 32), 1024).encode()) <= 1024


@given(st.text())
def test_a_new_key_is_one_that_s3_allows_and_shows_a_name(filename: str) -> None:
    key = new_key(filename)
    assert re.fullmatch(r"uploads/[0-9a-f]{32}/[^/]{1,200}", key)
    assert len(key.encode()) <= 1024
    name = filename_of(key)
    assert key.endswith(f"/{name}")
    assert name.isprintable()
    assert name.strip(" .") == name
    assert "${" not in key, "S3 would put a name of the client's choice there"


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
def test_the_name_in_a_new_key(filename: str, name: str) -> None:
    assert filename_of(new_key(filename)) == name


def test_no_two_new_keys_are_the_same() -> None:
    assert new_key("a.jpg") != new_key("a.jpg")


@pytest.mark.parametrize(
    ("key", "name"),
    [("a.jpg", "a.jpg"), ("a/b c/d.jpg", "d.jpg"), ("/a", "a"), ("a/", "a"), ("a//", "a"), ("/", "/"), (" ", " ")],
)
def test_the_name_shown_is_the_last_part_of_any_key(key: str, name: str) -> None:
    assert filename_of(key) == name
