"""The formats we accept: how each is recognised, which decoder reads it, and how big it may be."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from photos.errors import PhotoRejected
from photos.jpeg_scans import needs_all_scans


@dataclass(frozen=True)
class Format:
    """One accepted format. `max_pixels` keeps its decoder inside the function's memory and time."""

    name: str
    decoder: str  # Pillow's name for it
    plugin: str  # the module that teaches it to Pillow
    max_pixels: int
    recognises: Callable[[bytes], bool]  # given the whole file, by its content: names lie
    alpha_counts: int = 1  # a pixel with alpha counts as this many
    isolated: bool = False  # decoded in a process of its own, for it may crash or take long

    def limit(self, mode: str) -> int:
        """How many pixels a photo may have that Pillow opens in this mode."""
        return self.max_pixels // (self.alpha_counts if mode == "RGBA" else 1)

    def load_plugin(self) -> None:
        """Make Pillow able to open this format, and no other: each costs start-up time."""
        module = import_module(self.plugin)
        if self.decoder == "HEIF":
            module.register_heif_opener(thumbnails=False, decode_threads=1)


def format_of(photo: bytes) -> Format:
    """The format of `photo`. Raises PhotoRejected if it is none of ours."""
    for candidate in FORMATS:
        if candidate.recognises(photo):
            return candidate
    names = ", ".join(dict.fromkeys(candidate.decoder for candidate in FORMATS))
    raise PhotoRejected("not_a_photo", f"This is not an image we can read; we read {names}.")


def _starts_with(*starts: bytes) -> Callable[[bytes], bool]:
    return lambda photo: photo.startswith(starts)


def _is_jpeg_in_passes(photo: bytes) -> bool:
    return _is_jpeg(photo) and needs_all_scans(photo)


def _is_webp(photo: bytes) -> bool:
    return photo[:4] == b"RIFF" and photo[8:12] == b"WEBP"


def _is_animated_webp(photo: bytes) -> bool:
    return _is_webp(photo) and photo[12:16] == b"VP8X" and bool(int.from_bytes(photo[20:21], "big") & 2)


def _is_avif(photo: bytes) -> bool:
    return bool(_brands(photo) & {b"avif", b"avis"})


def _is_heif(photo: bytes) -> bool:
    return bool(_brands(photo) & {b"heic", b"heix", b"heim", b"heis", b"mif1"})


def _brands(photo: bytes) -> set[bytes]:
    """The brands that an ISO media file (AVIF, HEIC) claims in its leading `ftyp` box."""
    if photo[4:8] != b"ftyp":
        return set()
    end = min(int.from_bytes(photo[:4], "big"), 256)
    return {photo[8:12]} | {photo[i : i + 4] for i in range(16, end, 4)}


_is_jpeg: Final = _starts_with(b"\xff\xd8\xff")
_is_png: Final = _starts_with(b"\x89PNG\r\n\x1a\n")
_is_gif: Final = _starts_with(b"GIF87a", b"GIF89a")
_is_tiff: Final = _starts_with(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_is_bmp: Final = _starts_with(b"BM")

_MILLION: Final = 1_000_000

# The limits keep every photo under 900 MiB and 5 s of one CPU: `make bench` measures both, for the kind of
# each that takes most, and docs/thumbnails.md shows them.
FORMATS: Final = (
    Format("progressive JPEG", "JPEG", "PIL.JpegImagePlugin", 64 * _MILLION, _is_jpeg_in_passes),
    Format("JPEG", "JPEG", "PIL.JpegImagePlugin", 250 * _MILLION, _is_jpeg),
    Format("AVIF", "AVIF", "PIL.AvifImagePlugin", 50 * _MILLION, _is_avif),
    # What phones write, 8064 × 6048, and no more: the slowest to decode. Damaged ones crash its decoder.
    Format("HEIC", "HEIF", "pi_heif", 49 * _MILLION, _is_heif, alpha_counts=2, isolated=True),
    Format("PNG", "PNG", "PIL.PngImagePlugin", 64 * _MILLION, _is_png),
    Format("animated WebP", "WEBP", "PIL.WebPImagePlugin", 25 * _MILLION, _is_animated_webp),
    Format("WebP", "WEBP", "PIL.WebPImagePlugin", 50 * _MILLION, _is_webp),
    Format("GIF", "GIF", "PIL.GifImagePlugin", 100 * _MILLION, _is_gif),
    # What it holds may be coded as anything, such as JPEGs of 90 scans.
    Format("TIFF", "TIFF", "PIL.TiffImagePlugin", 70 * _MILLION, _is_tiff, isolated=True),
    Format("BMP", "BMP", "PIL.BmpImagePlugin", 100 * _MILLION, _is_bmp),
)
