"""Supported image formats: how each is detected, which decoder reads it, and its pixel limit."""

from collections.abc import Callable
from importlib import import_module
from typing import Final, NamedTuple

from photos.errors import PhotoRejected
from photos.jpeg_limits import has_multiple_scans


class Format(NamedTuple):  # a dataclass would lengthen the start of the decoder process by 4 ms
    """A supported image format.

    Attributes:
        name: Display name.
        decoder: Name of the format in Pillow.
        plugin: Module that registers the decoder with Pillow.
        max_pixels: Pixel limit that keeps the decoder within the memory and the time of the function.
        matches: Returns whether a file has this format, from its content: names and content types can be wrong.
        alpha_weight: Number of pixels that a pixel with alpha counts as.
    """

    name: str
    decoder: str
    plugin: str
    max_pixels: int
    matches: Callable[[bytes], bool]
    alpha_weight: int = 1

    def pixel_limit(self, mode: str) -> int:
        """Return the pixel limit of a photo that Pillow opens in this mode."""
        return self.max_pixels // (self.alpha_weight if mode == "RGBA" else 1)

    def load_plugin(self) -> None:
        """Register the decoder of this format with Pillow. Others stay unloaded: each lengthens a cold start.

        Raises:
            ImportError: A library is missing from this installation.
        """
        module = import_module(self.plugin)
        if self.decoder == "HEIF":
            module.register_heif_opener(thumbnails=False, decode_threads=1)
        elif self.decoder in ("AVIF", "WEBP"):
            # Without its library, the plugin would report each photo as unsupported.
            import_module(f"PIL._{self.decoder.lower()}")


def detect_format(photo: bytes) -> Format:
    """Return the format of a file.

    Raises:
        PhotoRejected: The format is not supported, or a JPEG exceeds a limit of `photos.jpeg_limits`.
    """
    for candidate in FORMATS:
        if candidate.matches(photo):
            return candidate
    names = ", ".join(dict.fromkeys(candidate.decoder for candidate in FORMATS))
    raise PhotoRejected("not_a_photo", f"This file is not a supported image. Supported formats: {names}.")


def _starts_with(*starts: bytes) -> Callable[[bytes], bool]:
    return lambda photo: photo.startswith(starts)


def _is_multiple_scan_jpeg(photo: bytes) -> bool:
    return _is_jpeg(photo) and has_multiple_scans(photo)


def _is_webp(photo: bytes) -> bool:
    return photo[:4] == b"RIFF" and photo[8:12] == b"WEBP"


def _is_animated_webp(photo: bytes) -> bool:
    return _is_webp(photo) and photo[12:16] == b"VP8X" and bool(int.from_bytes(photo[20:21], "big") & 2)


def _is_avif(photo: bytes) -> bool:
    return bool(_brands(photo) & {b"avif", b"avis"})


def _is_heif(photo: bytes) -> bool:
    return bool(_brands(photo) & {b"heic", b"heix", b"heim", b"heis", b"mif1"})


def _brands(photo: bytes) -> set[bytes]:
    """Return the brands that the leading `ftyp` box of an ISO media file (AVIF, HEIC) lists."""
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

# At its limit, the most expensive kind of each format that we know took less than 900 MiB and 5 s of CPU time; see
# docs/thumbnails.md. The decoder process stops the kinds that we do not know.
FORMATS: Final = (
    Format("progressive JPEG", "JPEG", "PIL.JpegImagePlugin", 64 * _MILLION, _is_multiple_scan_jpeg),
    Format("JPEG", "JPEG", "PIL.JpegImagePlugin", 250 * _MILLION, _is_jpeg),
    Format("AVIF", "AVIF", "PIL.AvifImagePlugin", 50 * _MILLION, _is_avif),
    # Phones write 8064 × 6048. More would take too long.
    Format("HEIC", "HEIF", "pi_heif", 49 * _MILLION, _is_heif, alpha_weight=2),
    Format("PNG", "PNG", "PIL.PngImagePlugin", 64 * _MILLION, _is_png),
    Format("animated WebP", "WEBP", "PIL.WebPImagePlugin", 25 * _MILLION, _is_animated_webp),
    Format("WebP", "WEBP", "PIL.WebPImagePlugin", 50 * _MILLION, _is_webp),
    Format("GIF", "GIF", "PIL.GifImagePlugin", 100 * _MILLION, _is_gif),
    Format("TIFF", "TIFF", "PIL.TiffImagePlugin", 70 * _MILLION, _is_tiff),
    Format("BMP", "BMP", "PIL.BmpImagePlugin", 100 * _MILLION, _is_bmp),
)
