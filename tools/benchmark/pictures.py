"""The pictures to measure with: made anew in a temporary folder, the same each time."""

import random
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tools.benchmark.heic import Heic

ROOT = Path(__file__).parents[2]
PHOTOS = ROOT / "samples"


def camera(megapixels: float, mode: str = "RGB") -> Image.Image:
    """A picture as a camera makes it: large forms, fine detail, some noise."""
    width, height = int((megapixels * 1e6 * 4 / 3) ** 0.5), int((megapixels * 1e6 * 3 / 4) ** 0.5)
    small = Image.open(PHOTOS / "rocket.jpg").convert("RGB")
    large, detail = small.resize((width, height), Image.Resampling.BICUBIC), Image.new("RGB", (width, height))
    noise = Image.frombytes("RGB", small.size, random.Random(1).randbytes(3 * small.width * small.height))
    tile = Image.blend(small, noise, 0.15)
    for left in range(0, width, tile.width):
        for top in range(0, height, tile.height):
            detail.paste(tile, (left, top))
    return Image.blend(large, detail, 0.35).convert(mode)  # without the profile of rocket.jpg


def write_speed_pictures(folder: Path, heic: Heic | None) -> dict[str, Path]:
    """12 megapixels in each format."""
    picture = camera(12)
    kinds: dict[str, tuple[str, dict[str, object]]] = {
        "JPEG": ("JPEG", {"quality": 90}),
        "progressive JPEG": ("JPEG", {"quality": 90, "progressive": True}),
        "PNG": ("PNG", {"compress_level": 6}),
        "WebP": ("WEBP", {"quality": 85, "method": 2}),
        "AVIF": ("AVIF", {"quality": 70, "speed": 9}),
        "GIF": ("GIF", {}),
        "TIFF": ("TIFF", {"compression": "tiff_lzw"}),
        "BMP": ("BMP", {}),
    }
    written = {name: _saved(picture, folder / name, *how) for name, how in kinds.items()}
    if heic:
        written["HEIC"] = folder / "HEIC"
        written["HEIC"].write_bytes(heic.tiled(picture))
    return written


@dataclass(frozen=True)
class Hardest:
    """A photo of the kind that takes most memory and time in its format (its name in `photos.formats`)."""

    format: str
    kind: str
    path: Path
    megapixels: int
    clear: bool = False  # has alpha


def write_hardest(folder: Path, megapixels: int, heic: Heic | None) -> Iterator[Hardest]:
    """One of each format, one by one: together they would fill a small disk."""
    plain, ink = camera(megapixels), camera(megapixels, "CMYK")
    clear = camera(megapixels, "RGBA")
    clear.putalpha(clear.getchannel("G"))
    one_strip: dict[str, object] = {"compression": "tiff_lzw", "tiffinfo": {278: ink.height}}  # rows per strip
    lossless: dict[str, object] = {"lossless": True, "quality": 0, "method": 0}
    moving: dict[str, object] = lossless | {"save_all": True, "append_images": [Image.new("RGBA", clear.size)]}
    kinds: list[tuple[str, str, str, Image.Image, dict[str, object]]] = [
        ("JPEG", "4:4:4", "JPEG", plain, {"subsampling": 0, "quality": 90}),
        ("progressive JPEG", "CMYK", "JPEG", ink, {"progressive": True, "quality": 90}),
        ("AVIF", "4:4:4 with alpha", "AVIF", clear, {"subsampling": "4:4:4", "speed": 10, "quality": 95}),
        ("PNG", "with alpha", "PNG", clear, {"compress_level": 1}),
        ("WebP", "lossless with alpha", "WEBP", clear, lossless),
        ("animated WebP", "lossless with alpha", "WEBP", clear, moving),
        ("GIF", "256 colours", "GIF", plain.quantize(), {}),
        ("TIFF", "CMYK in one strip", "TIFF", ink, one_strip),
        ("BMP", "with alpha", "BMP", clear, {}),
    ]
    for name, kind, format_, picture, options in kinds:
        path = _saved(picture, folder / "hardest", format_, options)
        yield Hardest(name, kind, path, megapixels, picture.mode == "RGBA")
    path = folder / "hardest"
    path.write_bytes(_deep_tiff(clear))
    yield Hardest("TIFF", "16 bits, with alpha, in one strip", path, megapixels, clear=True)
    if heic:
        path.write_bytes(heic.tiled(plain, quality=70))
        yield Hardest("HEIC", "in tiles, in more detail than phones write", path, megapixels)
        path.write_bytes(heic.one_image(clear))
        yield Hardest("HEIC", "with alpha", path, megapixels, clear=True)


def _deep_tiff(clear: Image.Image) -> bytes:
    """A picture with alpha in 16 bits, which Pillow reads and does not write: deflated, in one strip."""
    samples = bytes(2 * len(clear.getbands()) * clear.width * clear.height)
    deep = bytearray(samples)
    deep[1::2] = clear.tobytes()  # little-endian: the higher byte comes second
    strip = zlib.compress(bytes(deep), 1)
    bits, tags = struct.pack("<4H", 16, 16, 16, 16), 10
    behind = 8 + 2 + 12 * tags + 4
    entries = (
        (256, 4, 1, clear.width),
        (257, 4, 1, clear.height),
        (258, 3, 4, behind),  # bits of each sample
        (259, 3, 1, 8),  # deflated
        (262, 3, 1, 2),  # RGB
        (273, 4, 1, behind + len(bits)),  # where the strip is
        (277, 3, 1, 4),  # samples a pixel
        (278, 4, 1, clear.height),  # rows in the strip
        (279, 4, 1, len(strip)),
        (338, 3, 1, 2),  # the fourth is alpha
    )
    directory = struct.pack("<H", tags) + b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    return b"II*\0" + struct.pack("<I", 8) + directory + bits + strip


def write_large_jpeg(folder: Path) -> Path:
    """What the largest phones write: 48 megapixels, baseline."""
    return _saved(camera(48), folder / "large", "JPEG", {"quality": 85})


def _saved(picture: Image.Image, path: Path, format_: str, options: dict[str, object]) -> Path:
    picture.save(path, format_, **options)
    return path
