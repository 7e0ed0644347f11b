"""Photos in, WebP thumbnails out: bytes to bytes, and the same bytes always give the same bytes."""

import warnings
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from typing import Final, NamedTuple

from PIL import Image, ImageFile, WebPImagePlugin  # noqa: F401 - what we write; else Pillow loads all formats

from photos.downscaling import Coarse, Size, averageable, coarse, fit
from photos.errors import PhotoRejected
from photos.formats import Format, format_of
from photos.input_limits import bounded_memory, check_parts
from photos.jpeg_scans import check_scans, without_hidden_scans
from photos.limits import MAX_BYTES, SIZES
from photos.subprocess_isolation import run_in_subprocess

_QUALITY: Final = 80
_METHOD: Final = 2  # WebP's effort, 0 to 6: half the time of the usual 4, for 5 % more bytes
_ORIENTATION: Final = 0x0112
_UPRIGHT: Final = {  # what each EXIF orientation asks for
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# A JPEG decoder shrinks by 2, 4 or 8 as it goes: 51 → 32 ms at 12 megapixels.
_JPEG_GAP: Final = 1.9  # times too big that it may leave a picture: 48 dB of the exact one; 1.5, 38
_LARGE: Final = 250_000  # pixels; LANCZOS and sharpening take 2 ms for as many
# For 1024 × 768 LANCZOS takes 31 ms, HAMMING 14: 48 dB of it. In other formats it counts less.
_LARGE_OF_JPEG: Final = Image.Resampling.HAMMING

MAX_SECONDS: Final = 5  # of a processor, for one photo

Image.MAX_IMAGE_PIXELS = None  # Pillow only warns at its limit; ours, one for each format, refuse


class _Decoded(NamedTuple):
    """A photo not much larger than its largest thumbnail, and what is still to be done to it."""

    coarse: Coarse
    kind: Format
    full: Size  # of the whole photo
    orientation: int
    profile: bytes | None


def make_thumbnails(photo: bytes, sizes: Sequence[int] = SIZES) -> dict[int, bytes]:
    """WebP thumbnails of `photo`, one for each of `sizes` (side in pixels of the square it fits in).

    Never enlarged, upright, in sRGB, alpha kept, without any metadata.
    Raises PhotoRejected when `photo` is not an image we can read in MAX_SECONDS; trying again would not help.
    """
    if not photo:
        raise PhotoRejected("empty", "This file is empty.")
    if len(photo) > MAX_BYTES:
        raise PhotoRejected("too_many_bytes", f"This file is larger than {MAX_BYTES >> 20} MiB.")
    kind = format_of(photo)
    check_parts(photo, kind.decoder)
    kind.load_plugin()
    try:
        if kind.isolated:
            return run_in_subprocess(lambda: _made(photo, kind, sizes), seconds=MAX_SECONDS)
        return _made(photo, kind, sizes)
    except PhotoRejected:
        raise
    except TimeoutError as error:
        raise PhotoRejected("too_slow", f"This {kind.name} takes more than {MAX_SECONDS} s to decode.") from error
    except MemoryError as error:
        raise PhotoRejected("too_much_memory", f"This {kind.name} takes more memory than any photo should.") from error
    except Exception as error:  # a decoder fed garbage raises anything, and will do so again
        reason = f"This {kind.name} cannot be decoded: it is damaged, incomplete or of a rare kind."
        raise PhotoRejected("broken", reason) from error


def _made(photo: bytes, kind: Format, sizes: Sequence[int]) -> dict[int, bytes]:
    with bounded_memory(), warnings.catch_warnings(action="ignore"):
        decoded = _decode(photo, kind, max(sizes))
        # Colours and direction come after shrinking: 15 times fewer pixels at 12 megapixels.
        return {size: _webp(_upright(_in_srgb(_shrunk(decoded, size), decoded.profile), decoded)) for size in sizes}


def _decode(photo: bytes, kind: Format, size: int) -> _Decoded:
    """Decode no more of `photo` than a thumbnail of `size` needs."""
    file = Image.open(BytesIO(photo), formats=[kind.decoder])
    full = file.size
    if full[0] * full[1] > (limit := kind.limit(file.mode)):
        pixels = f"{full[0]} × {full[1]} pixels, over {limit // 1_000_000} million"
        raise PhotoRejected("too_many_pixels", f"This {kind.name} has {pixels}.")
    fitted = fit(full, size)
    image: Image.Image = file
    extent: tuple[float, float] = full
    if kind.decoder == "JPEG":
        image, extent = _jpeg_to_shrink(file, photo, kind, fitted)
    elif kind.decoder == "WEBP":
        from photos import webp  # loads ctypes, 5 ms: only for a WebP

        image = webp.shrinking(file, photo, averageable(full, fitted))
        extent = image.size
    image.load()
    orientation = 1
    with suppress(Exception):  # a photo with broken EXIF is still a photo
        orientation = image.getexif().get(_ORIENTATION, 1)
    near = coarse(image, fitted, extent, averaged=image.size != full)
    return _Decoded(near, kind, full, orientation, image.info.get("icc_profile"))


def _jpeg_to_shrink(
    image: ImageFile.ImageFile, photo: bytes, kind: Format, fitted: Size
) -> tuple[Image.Image, tuple[float, float]]:
    """`image` set to decode `photo` only about as big as `fitted`, and what of it will be the picture."""
    enough = int(fitted[0] * _JPEG_GAP), int(fitted[1] * _JPEG_GAP)
    if kind.name == "progressive JPEG":
        check_scans(photo)
        if min(image.width // enough[0], image.height // enough[1]) >= 8:
            image = Image.open(BytesIO(without_hidden_scans(photo)), formats=[kind.decoder])
    image.decodermaxblock = len(photo)  # in one piece, not pieces of 64 KiB: 1 ms
    drafted = image.draft(None, enough)
    return image, drafted[1][2:] if drafted else image.size


def _shrunk(decoded: _Decoded, size: int) -> Image.Image:
    fitted = fit(decoded.full, size)
    if fitted[0] * fitted[1] > _LARGE:
        cheap = decoded.kind.decoder == "JPEG"
        return decoded.coarse.resized(fitted, _LARGE_OF_JPEG if cheap else Image.Resampling.LANCZOS)
    return decoded.coarse.sharp(fitted)


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """`picture`, whose colours are those of the ICC `profile`, with those of sRGB."""
    if profile:
        from PIL import ImageCms  # loads LittleCMS, 4 ms: only for a photo with a profile

        mode = "RGBA" if picture.mode == "RGBA" else "RGB"
        with suppress(ImageCms.PyCMSError, OSError):  # broken, or for other colours: as without it
            source, srgb = ImageCms.ImageCmsProfile(BytesIO(profile)), ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(picture, source, srgb, outputMode=mode)
            if converted:
                return converted
    return picture.convert("RGB") if picture.mode == "CMYK" else picture


def _upright(picture: Image.Image, decoded: _Decoded) -> Image.Image:
    turn = _UPRIGHT.get(decoded.orientation)
    return picture if turn is None else picture.transpose(turn)


def _webp(picture: Image.Image) -> bytes:
    picture.info = {}  # whatever is in here, the GPS position included, Pillow would write
    buffer = BytesIO()
    picture.save(buffer, "WEBP", quality=_QUALITY, method=_METHOD)
    return buffer.getvalue()
