"""HEIC to measure and to test with, as one image or in tiles, as phones write it.

By pillow-heif, whose encoder (x265) is under the GPL: fetched for this, and not kept.
"""

import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PIL import Image

VERSION: Final = "1.8.1"
TILE: Final = 512  # pixels each way, as phones have them
_ENCODER: Final = """
import sys, pillow_heif
from PIL import Image
pillow_heif.register_heif_opener()
folder, tile, quality = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
picture = Image.open(folder + "/picture.tif")
across, down = (tile, tile) if tile else picture.size
corners = [(left, top) for top in range(0, picture.height, down) for left in range(0, picture.width, across)]
for number, (left, top) in enumerate(corners):
    piece = picture.crop((left, top, left + across, top + down))
    piece.save(f"{folder}/{number}.heic", "HEIF", quality=quality)
"""


class Heic:
    """The encoder, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @classmethod
    def fetched(cls, folder: Path) -> "Heic | None":
        """None where there is no package index, or no package for this machine."""
        wanted = ["--no-deps", "--only-binary=:all:", f"--target={folder}", f"pillow-heif=={VERSION}"]
        done = subprocess.run([sys.executable, "-m", "pip", "install", *wanted], capture_output=True, check=False)
        return cls(folder) if done.returncode == 0 else None

    def one_image(self, picture: Image.Image, quality: int = 80) -> bytes:
        """`picture` in one piece. HEVC has none of more than 35,651,584 pixels (ITU-T H.265, level 6.2)."""
        (whole,) = self._encoded(picture, 0, quality)
        return whole

    def tiled(
        self,
        picture: Image.Image,
        quality: int = 80,
        *,
        tile: int = TILE,
        quarters: int = 0,
        exif: bytes = b"",
        profile: bytes = b"",
    ) -> bytes:
        """`picture` in tiles, to be turned anticlockwise by `quarters`, with this EXIF (from `II` on) and profile."""
        return _grid(self._encoded(picture, tile, quality), tile, picture.size, quarters, exif, profile)

    def _encoded(self, picture: Image.Image, tile: int, quality: int) -> list[bytes]:
        with tempfile.TemporaryDirectory() as name:
            picture.save(f"{name}/picture.tif")
            run = [sys.executable, "-c", _ENCODER, name, str(tile), str(quality)]
            subprocess.run(run, check=True, env=os.environ | {"PYTHONPATH": str(self._folder)})
            pieces = sorted(Path(name).glob("*.heic"), key=lambda path: int(path.stem))
            return [piece.read_bytes() for piece in pieces]


def _grid(
    tiles: Sequence[bytes], tile: int, size: tuple[int, int], quarters: int, exif: bytes, profile: bytes
) -> bytes:
    """One picture of these HEICs of one image each, by rows (ISO/IEC 23008-12, 6.6.2.3)."""
    columns, rows = (-(-edge // tile) for edge in size)
    configuration = _found(tiles[0], b"hvcC")
    assert all(_found(other, b"hvcC") == configuration for other in tiles)
    grid, first_tile, exif_item = 1, 2, 2 + len(tiles)
    items = {grid: b"grid"} | {first_tile + n: b"hvc1" for n in range(len(tiles))} | {exif_item: b"Exif"}
    properties = [
        _box(b"hvcC", configuration),
        _full_box(b"ispe", struct.pack(">II", tile, tile)),
        _full_box(b"ispe", struct.pack(">II", *size)),
        _box(b"irot", bytes([quarters])),
        *([_box(b"colr", b"prof" + profile)] if profile else []),
    ]
    of_tile, of_grid = [0x81, 2], [3, 0x84, *([5] if profile else [])]  # by number from 1; 0x80: essential
    uses = [(grid, of_grid), *((first_tile + n, of_tile) for n in range(len(tiles)))]
    contents = [*(_found(one, b"mdat") for one in tiles), bytes(4) + exif]  # an Exif item begins with an offset

    def meta(start: int) -> bytes:
        """`meta`, where the first of `contents` starts at `start`."""
        layout = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, *size)
        places = struct.pack(">HHHHII", grid, 1, 0, 1, 0, len(layout))  # construction 1: in `idat`
        for item, content in zip(range(first_tile, exif_item + 1), contents, strict=True):
            places += struct.pack(">HHHHII", item, 0, 0, 1, start, len(content))
            start += len(content)
        infos = b"".join(
            _full_box(b"infe", struct.pack(">HH", item, 0) + kind + b"\0", version=2, flags=item != grid)
            for item, kind in items.items()
        )
        references = _box(b"dimg", struct.pack(f">HH{len(tiles)}H", grid, len(tiles), *range(first_tile, exif_item)))
        references += _box(b"cdsc", struct.pack(">HHH", exif_item, 1, grid))
        used = b"".join(struct.pack(">HB", item, len(of)) + bytes(of) for item, of in uses)
        return _full_box(
            b"meta",
            _full_box(b"hdlr", struct.pack(">I4s12x", 0, b"pict") + b"\0")
            + _full_box(b"pitm", struct.pack(">H", grid))
            + _full_box(b"iinf", struct.pack(">H", len(items)) + infos)
            + _full_box(b"iref", references)
            + _box(
                b"iprp", _box(b"ipco", b"".join(properties)) + _full_box(b"ipma", struct.pack(">I", len(uses)) + used)
            )
            + _box(b"idat", layout)
            + _full_box(b"iloc", b"\x44\0" + struct.pack(">H", len(items)) + places, version=1),
        )

    head = _box(b"ftyp", b"heic" + bytes(4) + b"mif1heic")
    return head + meta(len(head) + len(meta(0)) + 8) + _box(b"mdat", b"".join(contents))


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def _full_box(kind: bytes, body: bytes, *, version: int = 0, flags: int = 0) -> bytes:
    return _box(kind, bytes([version]) + flags.to_bytes(3, "big") + body)


def _found(heic: bytes, kind: bytes) -> bytes:
    """The body of the box of this kind, of which there is one."""
    assert heic.count(kind) == 1
    at = heic.index(kind)
    return heic[at + 4 : at - 4 + int.from_bytes(heic[at - 4 : at], "big")]
