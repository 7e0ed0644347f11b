"""Contact sheets show images, captions, and placeholders."""

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from album.contact_sheet import HEIGHT, WIDTH, ContactSheet, InvalidImage


def new_sheet(cells: int = 12, title: str = "Title") -> ContactSheet:
    return ContactSheet(title, page=1, page_count=1, cells=cells)


def webp(size: tuple[int, int], color: str, mode: str = "RGB") -> bytes:
    file = BytesIO()
    Image.new(mode, size, color).save(file, "WEBP", lossless=True)
    return file.getvalue()


@pytest.mark.parametrize("cells", range(1, 31))
def test_cells_are_on_the_page_and_do_not_overlap(cells: int) -> None:
    sheet = new_sheet(cells)
    corners = {sheet._corner(cell) for cell in range(cells)}
    assert len(corners) == cells
    assert all(0 <= left <= WIDTH - 69 - sheet._width for left, _ in corners)
    assert all(0 <= top <= HEIGHT - 69 - sheet._height for _, top in corners)
    assert sheet._width > 100 and sheet._height > 100


def test_image_is_not_enlarged() -> None:
    sheet = new_sheet(1)
    sheet.add_image(0, "", webp((200, 100), "red"))
    pixels = Image.open(BytesIO(sheet.jpeg())).get_flattened_data()
    red = sum(isinstance(pixel, tuple) and pixel[0] > 231 and max(pixel[1:]) < 24 for pixel in pixels)
    assert 19_000 < red < 21_000


def test_transparent_image_shows_the_background() -> None:
    sheet = new_sheet(1)
    sheet.add_image(0, "", webp((200, 100), "#ff000000", "RGBA"))
    assert sheet.jpeg() == new_sheet(1).jpeg()


def test_placeholder_shows_its_reason() -> None:
    one, other = new_sheet(), new_sheet()
    one.add_placeholder(0, "x.jpg", "This photo has been deleted.")
    other.add_placeholder(0, "x.jpg", "This JPEG is damaged.")
    assert len({one.jpeg(), other.jpeg(), new_sheet().jpeg()}) == 3


def test_damaged_image_raises_an_error() -> None:
    with pytest.raises(InvalidImage):
        new_sheet().add_image(0, "", b"\x89PNG damaged")


def test_european_letters_are_drawn() -> None:
    assert len({new_sheet(title=letter).jpeg() for letter in "ÄÖßéçñłŠΩЖ"}) == 10, "not all the same box"


@settings(max_examples=30, deadline=None)
@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_can_be_drawn(caption: str, reason: str) -> None:
    sheet = new_sheet(title=caption)
    sheet.add_placeholder(0, caption, reason)
    sheet.add_image(1, caption, webp((3, 3), "red"))
    assert sheet.jpeg()


def test_control_characters_and_lone_surrogates_are_replaced() -> None:
    one, other = new_sheet(title="\ud800\0\u202e"), new_sheet(title="\ufffd\ufffd\ufffd")
    one.add_placeholder(0, "two\nlines\t", "\ud800")
    other.add_placeholder(0, "two\ufffdlines\ufffd", "\ufffd")
    assert one.jpeg() == other.jpeg()
