"""The formats we accept: how each is recognised, which decoder reads it, and how big it may be."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from photos.errors import Refused


@dataclass(frozen=True)
class Format:
    """One accepted format. `max_pixels` keeps its decoder inside the function's memory and time."""

    name: str  # what Pillow calls it
    plugin: str  # the module that teaches it to Pillow
    max_pixels: int
    recognises: Callable[[bytes], bool]  # given the first 4 KiB of a file

    def load_plugin(self) -> None:
        """Make Pillow able to open this format, and no other: each costs start-up time."""
        module = import_module(self.plugin)
        if self.name == "HEIF":
            module.register_heif_opener(thumbnails=False, decode_threads=1)


def format_of(photo: bytes) -> Format:
    """The format of `photo` by its first bytes (names lie). Raises Refused if it is none of ours."""
    start = photo[:4096]
    for candidate in FORMATS:
        if candidate.recognises(start):
            return candidate
    names = ", ".join(candidate.name for candidate in FORMATS)
    raise Refused("not_a_photo", f"This is not an image we can read: we accept {names}.")


def _starts_with(*starts: bytes) -> Callable[[bytes], bool]:
    return lambda start: start.startswith(starts)


def _is_webp(start: bytes) -> bool:
    return start[:4] == b"RIFF" and start[8:12] == b"WEBP"


def _is_avif(start: bytes) -> bool:
    return bool(_brands(start) & {b"avif", b"avis"})


def _is_heif(start: bytes) -> bool:
    return not _is_avif(start) and bool(_brands(start) & {b"heic", b"heix", b"heim", b"heis", b"mif1"})


def _brands(start: bytes) -> set[bytes]:
    """The brands that an ISO media file (AVIF, HEIC) claims in its leading `ftyp` box."""
    if start[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(start[:4], "big"), len(start))
    return {start[8:12]} | {start[i : i + 4] for i in range(16, end, 4)}


_MILLION: Final = 1_000_000

FORMATS: Final = (
    Format("JPEG", "PIL.JpegImagePlugin", 100 * _MILLION, _starts_with(b"\xff\xd8\xff")),
    Format("HEIF", "pi_heif", 50 * _MILLION, _is_heif),
    Format("PNG", "PIL.PngImagePlugin", 100 * _MILLION, _starts_with(b"\x89PNG\r\n\x1a\n")),
    Format("WEBP", "PIL.WebPImagePlugin", 50 * _MILLION, _is_webp),
    Format("AVIF", "PIL.AvifImagePlugin", 50 * _MILLION, _is_avif),
    Format("GIF", "PIL.GifImagePlugin", 100 * _MILLION, _starts_with(b"GIF87a", b"GIF89a")),
    Format("TIFF", "PIL.TiffImagePlugin", 50 * _MILLION, _starts_with(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    Format("BMP", "PIL.BmpImagePlugin", 100 * _MILLION, _starts_with(b"BM")),
)
