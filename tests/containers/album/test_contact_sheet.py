"""The drawing of a contact sheet."""

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from album.contact_sheet import Sheet, Unreadable


def sheet(cells: int = 12, title: str = "Title") -> Sheet:
    return Sheet(title, page=1, page_count=1, cells=cells)


def webp(size: tuple[int, int], colour: str, mode: str = "RGB") -> bytes:
    file = BytesIO()
    Image.new(mode, size, colour).save(file, "WEBP", lossless=True)
    return file.getvalue()


def drawn(page: Sheet) -> Image.Image:
    return Image.open(BytesIO(page.jpeg()))


def count(image: Image.Image, colour: tuple[int, int, int]) -> int:
    """How many pixels have about this colour."""
    colours = image.getcolors(image.width * image.height) or []
    return sum(
        pixels
        for pixels, found in colours
        if isinstance(found, tuple) and all(abs(one - other) < 24 for one, other in zip(found, colour, strict=True))
    )


@pytest.mark.parametrize("cells", range(1, 31))
def test_every_cell_is_on_the_page_and_none_covers_another(cells: int) -> None:
    page = sheet(cells)
    places = set()
    for cell in range(cells):
        left, top = page._corner(cell)
        assert left >= 0 and left + page._width <= 1240 - 69
        assert top >= 0 and top + page._height <= 1754 - 69
        places.add((left, top))
    assert len(places) == cells
    assert page._width > 100 and page._height > 100


def test_a_picture_keeps_its_shape() -> None:
    page = sheet(1)
    page.add_picture(0, "", webp((200, 100), "red"))
    red = count(drawn(page), (255, 0, 0))
    assert 19_000 < red < 21_000, "as large as it is, and not enlarged"


def test_what_is_transparent_shows_the_paper() -> None:
    page, empty = sheet(1), sheet(1)
    page.add_picture(0, "", webp((200, 100), "#ff000000", "RGBA"))
    assert page.jpeg() == empty.jpeg()


def test_a_gap_is_marked_and_says_why() -> None:
    page, other = sheet(), sheet()
    page.add_gap(0, "x.jpg", "This photo has been deleted.")
    other.add_gap(0, "x.jpg", "This JPEG is damaged.")
    assert len({page.jpeg(), other.jpeg(), sheet().jpeg()}) == 3


def test_no_picture_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        sheet().add_picture(0, "", b"\x89PNG no picture")


def test_letters_of_europe_are_drawn_and_not_boxes() -> None:
    assert len({sheet(title=letter).jpeg() for letter in "ÄÖßéçñłŠΩЖ"}) == 10


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_can_be_drawn(caption: str, reason: str) -> None:
    page = sheet(title=caption)
    page.add_gap(0, caption, reason)
    page.add_picture(1, caption, webp((3, 3), "red"))
    assert page.jpeg()


def test_broken_unicode_and_control_characters_can_be_drawn() -> None:
    page = sheet(title="\ud800\0\n\u202e")
    page.add_gap(0, "\udfff\nnext line", "\ud800")
    assert page.jpeg()


def test_a_caption_stays_on_its_line() -> None:
    page, other = sheet(), sheet()
    page.add_gap(0, "two\nlines\t", "")
    other.add_gap(0, "two\ufffdlines\ufffd", "")
    assert page.jpeg() == other.jpeg()
