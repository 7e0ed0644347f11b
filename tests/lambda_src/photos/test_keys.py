"""Names of photos and thumbnails."""

import re

import pytest

from photos.keys import photo_id, thumbnail_key
from photos.newest_wins import Upload


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
