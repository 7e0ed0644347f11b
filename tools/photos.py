"""Generates files for measurements and tests: photos of every format, and files that the service rejects."""

import random
import struct
from io import BytesIO
from math import ceil
from pathlib import Path
from typing import Any, Final

from PIL import Image

_SAMPLES: Final = Path(__file__).parent.parent / "samples"

# How Pillow writes each format. It writes no HEIC.
ENCODINGS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "JPEG": ("JPEG", {"quality": 90}),
    "progressive JPEG": ("JPEG", {"quality": 90, "progressive": True}),
    "PNG": ("PNG", {"compress_level": 6}),
    "WebP": ("WEBP", {"quality": 85, "method": 2}),
    "AVIF": ("AVIF", {"quality": 70, "speed": 9}),
    "GIF": ("GIF", {}),
    "TIFF": ("TIFF", {"compression": "tiff_lzw"}),
    "BMP": ("BMP", {}),
}


def camera_photo(megapixels: float) -> Image.Image:
    """Return an image like that of a camera, with the shape 4:3: large shapes, fine detail, and some noise."""
    width, height = int((megapixels * 1e6 * 4 / 3) ** 0.5), int((megapixels * 1e6 * 3 / 4) ** 0.5)
    small = Image.open(_SAMPLES / "rocket.jpg").convert("RGB")
    large, detail = small.resize((width, height), Image.Resampling.BICUBIC), Image.new("RGB", (width, height))
    noise = Image.frombytes("RGB", small.size, random.Random(1).randbytes(3 * small.width * small.height))
    tile = Image.blend(small, noise, 0.15)
    for left in range(0, width, tile.width):
        for top in range(0, height, tile.height):
            detail.paste(tile, (left, top))
    scene = Image.blend(large, detail, 0.35)
    scene.info = {}  # without the ICC profile of the sample
    return scene


def encode(image: Image.Image, format_: str) -> bytes:
    """Return an image in a format of `ENCODINGS`."""
    buffer = BytesIO()
    pillow_format, options = ENCODINGS[format_]
    image.save(buffer, pillow_format, **options)
    return buffer.getvalue()


def phone_heic(width: int, height: int) -> bytes:
    """Return a HEIC photo as phones write it: a grid of tiles. It repeats the six tiles of a sample.

    Decoding takes as long as that of a photo with as many pixels, but the file is smaller.

    Args:
        width: In pixels.
        height: In pixels.
    """
    sample = (_SAMPLES / "rocket-tiles.heic").read_bytes()
    columns, rows = ceil(width / _TILE), ceil(height / _TILE)
    grid, tiles = 1, range(2, 2 + columns * rows)

    def stored(kind: bytes, start: int = 0) -> bytes:
        start = sample.index(kind, start) - 4
        return sample[start : start + int.from_bytes(sample[start : start + 4])]

    grid_size = stored(b"ispe", sample.index(b"ispe") + 4)  # the first `ispe` is that of the tiles
    properties = stored(b"ipco").replace(grid_size, grid_size[:12] + struct.pack(">2I", width, height))
    # Offset and length of the tiles, after the header of `iloc` and its entry of the grid.
    first = sample.index(b"iloc") + 12 + 16
    extents = [struct.unpack(">2I", sample[at + 8 : at + 16]) for at in range(first, first + 6 * 16, 16)]

    def meta(shift: int) -> bytes:
        items = [(grid, b"grid"), *((tile, b"hvc1") for tile in tiles)]
        locations = [
            (tile, 0, 0, 1, extents[index % 6][0] + shift, extents[index % 6][1]) for index, tile in enumerate(tiles)
        ]
        count = struct.pack(">H", len(items))
        return _box(
            b"meta", _VERSION_0, stored(b"hdlr"), stored(b"pitm"),
            _box(b"iinf", _VERSION_0, count, *(
                _box(b"infe", b"\2\0\0\0", struct.pack(">HH4sx", item, 0, kind)) for item, kind in items
            )),
            _box(b"iref", _VERSION_0, _box(b"dimg", struct.pack(f">HH{len(tiles)}H", grid, len(tiles), *tiles))),
            _box(b"iprp", properties, _box(
                # Size and color of the grid; decoder configuration (essential) and size of each tile.
                b"ipma", _VERSION_0, struct.pack(">I", len(items)), struct.pack(">HBBB", grid, 2, 3, 5),
                *(struct.pack(">HBBB", tile, 2, 0x81, 2) for tile in tiles),
            )),
            _box(b"idat", struct.pack(">4B2H", 0, 0, rows - 1, columns - 1, width, height)),
            _box(b"iloc", b"\1\0\0\0", b"\x44\0", count, struct.pack(">4H2I", grid, 1, 0, 1, 0, 8),
                 *(struct.pack(">4H2I", *location) for location in locations)),
        )  # fmt: skip

    shift = len(meta(0)) - len(stored(b"meta"))
    return stored(b"ftyp") + meta(shift) + stored(b"mdat")


_TILE: Final = 256  # pixels
_VERSION_0: Final = bytes(4)  # and no flags


def _box(kind: bytes, *parts: bytes) -> bytes:
    """Return a box of an ISO media file (ISO/IEC 14496-12, 4.2)."""
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def invalid_files() -> dict[str, tuple[bytes, str]]:
    """Return files that the service rejects, each with the code of its rejection, by name."""
    photo = (_SAMPLES / "rocket.jpg").read_bytes()
    return {
        "empty": (b"", "empty"),
        "text": (b"This is not a photo.", "not_a_photo"),
        "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_a_photo"),
        "truncated": (photo[: len(photo) // 2], "broken"),
        "invalid data after a valid signature": (b"\xff\xd8\xff" + bytes(range(256)) * 8, "broken"),
        "too many pixels": (_too_many_pixels(), "too_many_pixels"),
    }


def _too_many_pixels() -> bytes:
    buffer = BytesIO()
    Image.new("1", (12_000, 9_000)).save(buffer, "PNG")
    return buffer.getvalue()
