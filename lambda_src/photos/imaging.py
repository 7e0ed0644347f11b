"""Photos in, WebP thumbnails out: bytes to bytes, and the same bytes always give the same bytes."""

import warnings
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from typing import Final

from PIL import Image, ImageFile

from photos.errors import Refused
from photos.formats import format_of
from photos.jpeg_scans import check_scans

SIZES: Final = (256, 1024)  # sides of the squares, in pixels
MAX_BYTES: Final = 50 * 2**20  # the JPEG of a 100-megapixel camera has about 45 MiB

_QUALITY: Final = 80
_GAP: Final = 1.5  # shrink cheaply down to this many times too big, then by LANCZOS
_ORIENTATION: Final = 0x0112
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

Image.MAX_IMAGE_PIXELS = None  # Pillow only warns at its limit; ours, one per format, refuse


def make_thumbnails(photo: bytes, sizes: Sequence[int] = SIZES) -> dict[int, bytes]:
    """WebP thumbnails of `photo`, one for each of `sizes` (side in pixels of the square it fits in).

    Never enlarged, upright, in sRGB, alpha kept, without any metadata.
    Raises Refused when `photo` is not an image we can read; trying again would not help.
    """
    picture, full = _read(photo, max(sizes))
    picture = _shrink(picture, _fit(full, max(sizes)))
    picture, full = _upright(_to_srgb(picture), full)  # after shrinking: 15 times fewer pixels at 12 MP
    thumbnails: dict[int, bytes] = {}
    for size in sorted(sizes, reverse=True):
        picture = _shrink(picture, _fit(full, size))
        thumbnails[size] = _webp(picture)
    return thumbnails


def _read(photo: bytes, size: int) -> tuple[Image.Image, tuple[int, int]]:
    """As much of `photo` as a thumbnail of `size` needs, and the width and height of all of it."""
    if not photo:
        raise Refused("empty", "This file is empty.")
    if len(photo) > MAX_BYTES:
        raise Refused("too_many_bytes", f"This file is larger than {MAX_BYTES >> 20} MiB.")
    kind = format_of(photo)
    kind.load_plugin()
    try:
        if kind.name == "JPEG":
            check_scans(photo)
        with warnings.catch_warnings(action="ignore"):
            image: ImageFile.ImageFile = Image.open(BytesIO(photo), formats=[kind.name])
            full = width, height = image.size
            if width * height > kind.max_pixels:
                limit = kind.max_pixels // 10**6
                raise Refused(
                    "too_many_pixels",
                    f"This {kind.name} has {width} × {height} pixels, more than {limit} million.",
                )
            fitted = _fit(full, size)
            image.draft(None, (int(fitted[0] * _GAP), int(fitted[1] * _GAP)))
            image.load()
            return _plain(image), full
    except (Refused, MemoryError):
        raise
    except Exception as error:  # a decoder fed garbage raises anything, and will again
        raise Refused("broken", f"This {kind.name} is damaged or incomplete ({error}).") from error


def _fit(full: tuple[int, int], size: int) -> tuple[int, int]:
    """The largest width and height inside the square of `size` with the shape of `full`."""
    scale = min(1.0, size / max(full))
    return max(1, round(full[0] * scale)), max(1, round(full[1] * scale))


def _shrink(picture: Image.Image, fitted: tuple[int, int]) -> Image.Image:
    if picture.size == fitted:
        return picture
    return picture.resize(fitted, Image.Resampling.LANCZOS, reducing_gap=_GAP)


def _plain(image: Image.Image) -> Image.Image:
    """`image` with 8 bits a channel and no palette, as resizing and colour conversion need it."""
    info: dict[str | tuple[int, int], object] = {
        "orientation": image.getexif().get(_ORIENTATION),
        "icc_profile": image.info.get("icc_profile"),
    }
    plain: Image.Image = image
    if image.mode.startswith("I;16"):
        plain = image.point(lambda value: value * (1 / 257) + 0).convert("L")
    elif image.mode in ("I", "F"):  # no white is defined: stretch what there is
        low, high = (float(end) for end in image.getextrema())  # type: ignore[arg-type]
        scale = 255 / ((high - low) or 1)
        plain = image.point(lambda value: value * scale + -low * scale).convert("L")
    elif image.has_transparency_data:
        plain = image.convert("RGBA")
    elif image.mode == "1":
        plain = image.convert("L")
    elif image.mode not in ("L", "RGB", "CMYK"):
        plain = image.convert("RGB")
    plain.info = info
    return plain


def _to_srgb(picture: Image.Image) -> Image.Image:
    """`picture` in the colours of its profile as sRGB has them."""
    profile = picture.info["icc_profile"]
    if profile:
        from PIL import ImageCms  # loads LittleCMS: only for a photo with a profile

        mode = "RGBA" if picture.mode == "RGBA" else "RGB"
        with suppress(ImageCms.PyCMSError, OSError):  # broken, or for other colours: as without it
            source = ImageCms.ImageCmsProfile(BytesIO(profile))
            converted = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode=mode)
            if converted is not None:
                converted.info = picture.info
                return converted
    return picture.convert("RGB") if picture.mode == "CMYK" else picture


def _upright(picture: Image.Image, full: tuple[int, int]) -> tuple[Image.Image, tuple[int, int]]:
    """`picture` turned as the camera was held, and `full` with it."""
    turn = _UPRIGHT.get(picture.info["orientation"])
    if turn is None:
        return picture, full
    turned = picture.transpose(turn)
    return turned, full if picture.info["orientation"] < 5 else full[::-1]


def _webp(picture: Image.Image) -> bytes:
    bare = picture.copy()
    bare.info = {}  # Pillow would write what it finds here, the GPS position included
    buffer = BytesIO()
    bare.save(buffer, "WEBP", quality=_QUALITY)
    return buffer.getvalue()
