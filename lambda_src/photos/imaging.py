"""Makes WebP thumbnails of photos. Bytes in, bytes out: the same photo always gives the same thumbnails.

A hostile file can crash this code or make it run for minutes. `photos.decoder_process` runs it within limits.
"""

import warnings
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from typing import Final, NamedTuple

from PIL import Image, ImageFile, WebPImagePlugin  # noqa: F401 - registers WebP; without it, Pillow loads all formats

from photos.downscaling import ReducedImage, Size, box_factor, fit, reduce_image
from photos.errors import DamagedPhoto, PhotoRejected
from photos.formats import Format, detect_format
from photos.icc_profiles import without_processing_elements
from photos.input_limits import check_size, check_structure
from photos.limits import SIZES

_DECODERS: Final = {"PIL", "pi_heif"}  # packages that decode

_QUALITY: Final = 80
_METHOD: Final = 2  # effort of the encoder, 0 to 6: half the time of the default 4, for 5 % more bytes
_ORIENTATION: Final = 0x0112  # EXIF tag
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# A JPEG decoder can reduce by 2, 4, or 8 while it decodes: 32 ms instead of 51 for 12 megapixels. It leaves the image
# at least this many times larger than the thumbnail. The result has 48 dB of the exact one; 1.5 gives 38 dB.
_JPEG_GAP: Final = 1.9

# Lanczos and sharpening take 2 ms for a thumbnail of this many pixels, and 31 ms for 1024 × 768, where Hamming takes 14
# at 48 dB. That matters for JPEG only, because other formats take longer to decode.
_LARGE: Final = 250_000
_LARGE_JPEG_RESAMPLING: Final = Image.Resampling.HAMMING

Image.MAX_IMAGE_PIXELS = None  # Pillow only warns; the limits in `photos.formats` reject


class _Decoded(NamedTuple):
    """A photo reduced to somewhat more than its largest thumbnail, with what the remaining steps need."""

    reduced: ReducedImage
    format: Format
    size: Size  # of the whole photo
    orientation: int
    profile: bytes | None


def make_thumbnails(photo: bytes, sizes: Sequence[int] = SIZES) -> dict[int, bytes]:
    """Make the thumbnails of a photo: WebP, never enlarged, upright, in sRGB, with alpha, without metadata.

    Args:
        photo: The whole file.
        sizes: Sides, in pixels, of the squares that the thumbnails fit in.

    Returns:
        The thumbnails by size.

    Raises:
        PhotoRejected: The file is not a supported image, is damaged, or exceeds a limit.
        ImportError: A library is missing from this installation.
    """
    if not photo:
        raise PhotoRejected("empty", "This file is empty.")
    check_size(len(photo))
    format_ = detect_format(photo)
    check_structure(photo, format_.decoder)
    format_.load_plugin()
    try:
        with warnings.catch_warnings(action="ignore"):
            decoded = _decode_or_reject(photo, format_, max(sizes))
            # Color and orientation come after downscaling, which leaves 15 times fewer pixels of 12 megapixels.
            return {
                size: _webp(_upright(_in_srgb(_downscale(decoded, size), decoded.profile), decoded)) for size in sizes
            }
    except MemoryError as error:
        raise PhotoRejected("too_much_memory", f"This {format_.name} takes too much memory to decode.") from error


def _decode_or_reject(photo: bytes, format_: Format, side: int) -> _Decoded:
    """Decode a photo, and turn an error of its decoder, but no error of our own code, into a rejection."""
    try:
        return _decode(photo, format_, side)
    except (PhotoRejected, MemoryError, ImportError):
        raise
    except Exception as error:  # a decoder can raise anything for a damaged file, and would raise it again
        if not isinstance(error, DamagedPhoto) and not _is_from_decoder(error):
            raise
        reason = f"This {format_.name} cannot be decoded: it is damaged, incomplete, or of an unsupported kind."
        raise PhotoRejected("broken", reason) from error


def _is_from_decoder(error: Exception) -> bool:
    """Return whether the code of a decoder raised an error, not the code of this project."""
    position = error.__traceback__
    while position and position.tb_next:
        position = position.tb_next
    return position is not None and position.tb_frame.f_globals["__name__"].partition(".")[0] in _DECODERS


def _decode(photo: bytes, format_: Format, side: int) -> _Decoded:
    """Decode no more pixels than a thumbnail of this side needs."""
    file = Image.open(BytesIO(photo), formats=[format_.decoder])
    size = file.size
    if size[0] * size[1] > (limit := format_.pixel_limit(file.mode)):
        pixels = f"{size[0]} × {size[1]} pixels, more than {limit // 1_000_000} million"
        raise PhotoRejected("too_many_pixels", f"This {format_.name} has {pixels}.")
    target = fit(size, side)
    image: Image.Image = file
    extent: tuple[float, float] = size
    if format_.decoder == "JPEG":
        extent = _draft_jpeg(file, target, len(photo))
    elif format_.decoder == "WEBP":
        from photos import webp  # loads ctypes (5 ms), which only WebP needs

        image = webp.decode_reduced(file, photo, box_factor(size, target))
        extent = image.size
    image.load()
    orientation = 1
    with suppress(Exception):  # a photo with damaged EXIF is still a photo
        orientation = image.getexif().get(_ORIENTATION, 1)
    profile = image.info.get("icc_profile")
    reduced = reduce_image(image, target, extent, averaged=image.size != size)
    return _Decoded(reduced, format_, size, orientation, profile if isinstance(profile, bytes) else None)


def _draft_jpeg(image: ImageFile.ImageFile, target: Size, file_size: int) -> tuple[float, float]:
    """Let the decoder reduce the image to not much more than `target`. Returns the part of it that is the photo."""
    image.decodermaxblock = file_size  # one read instead of blocks of 64 KiB, which saves 1 ms
    drafted = image.draft(None, (int(target[0] * _JPEG_GAP), int(target[1] * _JPEG_GAP)))
    return drafted[1][2:] if drafted else image.size


def _downscale(decoded: _Decoded, side: int) -> Image.Image:
    size = fit(decoded.size, side)
    if size[0] * size[1] <= _LARGE:
        return decoded.reduced.resize_sharp(size)
    is_jpeg = decoded.format.decoder == "JPEG"
    return decoded.reduced.resize(size, _LARGE_JPEG_RESAMPLING if is_jpeg else Image.Resampling.LANCZOS)


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert an image from the color space of its ICC profile to sRGB."""
    if profile:
        from PIL import ImageCms  # loads LittleCMS (4 ms), which only a photo with a profile needs

        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        with suppress(ImageCms.PyCMSError, OSError):  # a damaged or unsuitable profile is ignored
            source = ImageCms.ImageCmsProfile(BytesIO(without_processing_elements(profile)))
            srgb = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, srgb, outputMode=mode)
            if converted:
                return converted
    return image.convert("RGB") if image.mode == "CMYK" else image


def _upright(image: Image.Image, decoded: _Decoded) -> Image.Image:
    transpose = _UPRIGHT.get(decoded.orientation)
    return image if transpose is None else image.transpose(transpose)


def _webp(image: Image.Image) -> bytes:
    image.info = {}  # Pillow would write its entries, such as the GPS position
    buffer = BytesIO()
    image.save(buffer, "WEBP", quality=_QUALITY, method=_METHOD)
    return buffer.getvalue()
