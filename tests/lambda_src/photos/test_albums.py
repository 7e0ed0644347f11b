"""The manifest of an album, and the distribution of its photos over pages."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from photos.albums import MAX_PHOTOS, PREFIX, Album, InvalidAlbum, manifest_key, page_key, pdf_key
from photos.keys import photo_id


def album(photos: int = 30, per_page: int = 12) -> Album:
    keys = tuple(f"Ürlaub/{number}.jpg" for number in range(photos))
    return Album("a-1", "Holiday", "2026-11-24T10:00:00.000Z", keys, per_page)


@given(st.integers(1, 100), st.integers(1, 30))
def test_each_photo_is_on_one_page_in_order(photos: int, per_page: int) -> None:
    made = album(photos, per_page)
    pages = [made.page(index) for index in range(made.page_count)]
    assert [key for page in pages for key in page] == list(made.photos)
    assert all(len(page) == per_page for page in pages[:-1])
    assert 1 <= len(pages[-1]) <= per_page


@pytest.mark.parametrize("index", [-1, 3])
def test_page_index_out_of_range_raises_error(index: int) -> None:
    with pytest.raises(IndexError, match="3 pages"):
        album().page(index)


def test_manifest_round_trip() -> None:
    manifest = json.loads(album().to_json())
    assert manifest["page_count"] == 3
    assert manifest["photos"][0] == {"id": photo_id("Ürlaub/0.jpg"), "key": "Ürlaub/0.jpg"}
    assert Album.from_json(album().to_json()) == album()


def test_objects_of_an_album_have_distinct_keys_under_its_prefix() -> None:
    keys = [manifest_key("a-1"), page_key("a-1", 0), page_key("a-1", 10_000), pdf_key("a-1")]
    assert all(key.startswith(f"{PREFIX}a-1/") for key in keys)
    assert len(set(keys)) == 4


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("id", "../other", "Album id: .*'../other'"),
        ("photos", (), "Album photos: .* received 0"),
        ("photos", ("x",) * (MAX_PHOTOS + 1), f"Album photos: .* received {MAX_PHOTOS + 1}"),
        ("title", "t" * 201, "Album title: .* 200"),
        ("photos_per_page", 0, "Album photos_per_page: .* 1 to 30"),
    ],
)
def test_invalid_album_raises_error_with_field_and_value(field: str, value: object, message: str) -> None:
    with pytest.raises(InvalidAlbum, match=message):
        Album(**{**vars(album()), field: value})


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"[]",
        b"{}",
        album().to_json().replace(b'"photos": [', b'"photos": [7,'),
        album().to_json().replace(b'"page_count": 3', b'"page_count": 4'),
    ],
)
def test_invalid_manifest_raises_error(manifest: bytes) -> None:
    with pytest.raises(InvalidAlbum):
        Album.from_json(manifest)
