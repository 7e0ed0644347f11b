"""The pictures to measure with: made anew in a temporary folder, the same each time."""

import random
from pathlib import Path

from PIL import Image

PHOTOS = Path(__file__).parent.parent / "local" / "photos"


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
    return Image.blend(large, detail, 0.35).convert(mode)


def write_speed_pictures(folder: Path) -> dict[str, Path]:
    """12 megapixels in each format that Pillow can write."""
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
    return {name: _saved(picture, folder / name, *how) for name, how in kinds.items()}


def write_memory_pictures(folder: Path, megapixels: int) -> dict[str, tuple[str, Path]]:
    """The kind of each format that needs most memory: what it is, and where."""
    plain, clear, ink = camera(megapixels), camera(megapixels, "RGBA"), camera(megapixels, "CMYK")
    one_strip = {278: ink.height}  # rows per strip
    clear.putalpha(clear.getchannel("G"))
    kinds: dict[str, tuple[str, str, Image.Image, dict[str, object]]] = {
        "JPEG": ("4:4:4", "JPEG", plain, {"subsampling": 0, "quality": 80}),
        "progressive JPEG": ("CMYK", "JPEG", ink, {"progressive": True, "quality": 80}),
        "AVIF": ("4:4:4 with alpha", "AVIF", clear, {"subsampling": "4:4:4", "speed": 10}),
        "PNG": ("RGBA", "PNG", clear, {"compress_level": 1}),
        "WebP": ("lossless RGBA", "WEBP", clear, {"lossless": True, "quality": 0, "method": 0}),
        "GIF": ("256 colours", "GIF", plain.quantize(), {}),
        "TIFF": (
            "CMYK in one strip",
            "TIFF",
            ink,
            {"compression": "tiff_lzw", "tiffinfo": one_strip},
        ),
        "BMP": ("RGBA", "BMP", clear, {}),
    }
    written = {}
    for name, (kind, format_, picture, options) in kinds.items():
        written[name] = kind, _saved(picture, folder / f"{name}-{megapixels}", format_, options)
    return written


def write_large_jpeg(folder: Path) -> Path:
    """What the largest phones write: 48 megapixels, baseline."""
    return _saved(camera(48), folder / "large", "JPEG", {"quality": 85})


def _saved(picture: Image.Image, path: Path, format_: str, options: dict[str, object]) -> Path:
    picture.save(path, format_, **options)
    return path
