"""The manifest of an album, and how its photos are split into pages."""

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
def test_every_photo_is_on_one_page_in_order(photos: int, per_page: int) -> None:
    made = album(photos, per_page)
    pages = [made.page(index) for index in range(made.page_count)]
    assert [key for page in pages for key in page] == list(made.photos)
    assert all(len(page) == per_page for page in pages[:-1])
    assert 1 <= len(pages[-1]) <= per_page


@pytest.mark.parametrize("index", [-1, 3])
def test_no_page_beyond_the_last(index: int) -> None:
    with pytest.raises(IndexError, match="has 3 pages"):
        album().page(index)


def test_the_manifest_says_it_all_and_comes_back_the_same() -> None:
    manifest = json.loads(album().to_json())
    assert manifest["page_count"] == 3
    assert manifest["photos"][0] == {"id": photo_id("Ürlaub/0.jpg"), "key": "Ürlaub/0.jpg"}
    assert Album.from_json(album().to_json()) == album()


def test_everything_of_an_album_is_in_its_folder() -> None:
    keys = [manifest_key("a-1"), page_key("a-1", 0), page_key("a-1", 10_000), pdf_key("a-1")]
    assert all(key.startswith(f"{PREFIX}a-1/") for key in keys)
    assert len(set(keys)) == 4


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"id": "../other"}, "Album id: expected 1 to 64 letters, digits, - and _, but received '../other'"),
        ({"photos": ()}, f"Album photos: expected 1 to {MAX_PHOTOS}, but received 0"),
        ({"photos": ("x",) * (MAX_PHOTOS + 1)}, f"but received {MAX_PHOTOS + 1}"),
        ({"title": "t" * 201}, "Album title: expected at most 200 characters"),
        ({"photos_per_page": 0}, "Album photos_per_page: expected 1 to 30"),
    ],
)
def test_no_album_of_wrong_parts(change: dict[str, object], says: str) -> None:
    with pytest.raises(InvalidAlbum) as rejection:
        Album(**{**vars(album()), **change})
    assert says in str(rejection.value)


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
def test_no_album_of_a_wrong_manifest(manifest: bytes) -> None:
    with pytest.raises(InvalidAlbum):
        Album.from_json(manifest)
