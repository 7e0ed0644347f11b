"""Draws a contact sheet: an A4 page at 150 dpi with a title, a grid of images with captions, and a page number."""

import math
import textwrap
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

WIDTH: Final = 1240  # 210 mm at 150 dpi
HEIGHT: Final = 1754  # 297 mm
DPI: Final = 150

_MARGIN: Final = 70
_HEADER: Final = 90
_FOOTER: Final = 50
_SPACE: Final = 24  # between cells
_CAPTION: Final = 34

_BACKGROUND: Final = "white"
_FOREGROUND: Final = "#222222"
_GRAY: Final = "#767676"
_PLACEHOLDER: Final = "#f0f0f0"

# The image contains this font, and the basic layout engine is used, so that every machine draws the same pixels. It
# covers Latin, Greek, and Cyrillic; other characters become boxes. Fonts for all scripts would make the container image
# 20 MB larger.
_FONT_FILE: Final = Path(__file__).parent / "font" / "DejaVuSansCondensed.ttf"
_TITLE_FONT: Final = ImageFont.truetype(_FONT_FILE, 38, layout_engine=ImageFont.Layout.BASIC)
_FONT: Final = ImageFont.truetype(_FONT_FILE, 20, layout_engine=ImageFont.Layout.BASIC)


class InvalidImage(Exception):
    """The bytes are not a WebP image, or are damaged."""


class ContactSheet:
    """A page that is being drawn. Holds the page and one image in memory.

    Args:
        title: Text at the top.
        page: Number of this page, from 1.
        page_count: Number of pages in the album.
        cells: Number of cells for images.
    """

    def __init__(self, title: str, *, page: int, page_count: int, cells: int) -> None:
        self._image = Image.new("RGB", (WIDTH, HEIGHT), _BACKGROUND)
        self._draw = ImageDraw.Draw(self._image)
        # This number of columns makes the cells about square: the area for them is 3 wide and 4 high.
        self._columns = max(1, round(math.sqrt(cells * 0.75)))
        rows = math.ceil(cells / self._columns)
        self._width = (WIDTH - 2 * _MARGIN + _SPACE) // self._columns - _SPACE
        self._height = (HEIGHT - 2 * _MARGIN - _HEADER - _FOOTER + _SPACE) // rows - _SPACE
        self._text((_MARGIN, _MARGIN), title, _TITLE_FONT, _FOREGROUND, WIDTH - 2 * _MARGIN, "la")
        number = f"{page} / {page_count}"
        self._text((WIDTH // 2, HEIGHT - _MARGIN), number, _FONT, _GRAY, WIDTH - 2 * _MARGIN, "ms")

    def add_image(self, cell: int, caption: str, image: bytes) -> None:
        """Draw an image with its caption into a cell.

        Raises:
            InvalidImage: The image cannot be decoded.
        """
        room = (self._width, self._height - _CAPTION)
        try:
            with Image.open(BytesIO(image), formats=["WEBP"]) as opened:
                opened.load()
                fitted = opened.convert("RGBA") if opened.has_transparency_data else opened.convert("RGB")
        except Exception as error:  # a decoder can raise anything for a damaged file
            raise InvalidImage(str(error)) from error
        fitted.thumbnail(room, Image.Resampling.LANCZOS)
        left, top = self._corner(cell)
        place = (left + (room[0] - fitted.width) // 2, top + room[1] - fitted.height)  # on its caption
        self._image.paste(fitted, place, fitted if fitted.mode == "RGBA" else None)
        self._caption(cell, caption)

    def add_placeholder(self, cell: int, caption: str, reason: str) -> None:
        """Draw the reason why a photo cannot be shown into its cell."""
        left, top = self._corner(cell)
        right, bottom = left + self._width - 1, top + self._height - _CAPTION - 1
        self._draw.rectangle((left, top, right, bottom), fill=_PLACEHOLDER, outline=_GRAY)
        characters = max(8, self._width // 11)
        lines = textwrap.wrap(printable(reason), characters, max_lines=6, placeholder=" …")
        middle = ((left + right) // 2, (top + bottom) // 2)
        self._draw.multiline_text(middle, "\n".join(lines), _GRAY, _FONT, anchor="mm", align="center")
        self._caption(cell, caption)

    def jpeg(self) -> bytes:
        """Return the page as JPEG, without metadata."""
        buffer = BytesIO()
        self._image.save(buffer, "JPEG", quality=88, dpi=(DPI, DPI))
        return buffer.getvalue()

    def _corner(self, cell: int) -> tuple[int, int]:
        row, column = divmod(cell, self._columns)
        top = _MARGIN + _HEADER + row * (self._height + _SPACE)
        return _MARGIN + column * (self._width + _SPACE), top

    def _caption(self, cell: int, caption: str) -> None:
        left, top = self._corner(cell)
        middle = (left + self._width // 2, top + self._height - 8)
        self._text(middle, caption, _FONT, _FOREGROUND, self._width, "ms")

    def _text(
        self, at: tuple[int, int], text: str, font: ImageFont.FreeTypeFont, color: str, width: int, anchor: str
    ) -> None:
        self._draw.text(at, _shortened(printable(text), font, width), color, font, anchor=anchor)


def printable(text: str) -> str:
    """Replace line breaks, control characters, and lone surrogates, which no font can draw."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def _shortened(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    if font.getlength(text) <= width:
        return text
    end = len(text)
    while end and font.getlength(text[:end] + "…") > width:
        end -= 1
    return text[:end].rstrip() + "…"
