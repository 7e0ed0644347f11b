"""What the clients upload: real photos, odd ones, and what has to be refused."""

from io import BytesIO
from pathlib import Path

from PIL import Image

from photos.errors import PhotoRejected
from photos.imaging import make_thumbnails

_PHOTOS = Path(__file__).parents[2] / "samples"

# What becomes of a picture: its thumbnails by size, or its refusal.
Outcome = dict[int, bytes] | PhotoRejected


def pictures() -> dict[str, bytes]:
    """Files to upload, by what they are."""
    real = {name: (_PHOTOS / name).read_bytes() for name in ("chelsea.png", "coffee-turned.jpg", "rocket.jpg")}
    return real | _odd(Image.open(_PHOTOS / "rocket.jpg")) | _refused(real["rocket.jpg"])


def outcome(picture: bytes) -> Outcome:
    """What the service has to make of a file, wherever and however often it is uploaded."""
    try:
        return make_thumbnails(picture)
    except PhotoRejected as rejection:
        return rejection


def _odd(photo: Image.Image) -> dict[str, bytes]:
    turned = Image.Exif()
    turned[0x0112] = 6
    clear = photo.convert("RGBA")
    clear.putalpha(clear.getchannel("G"))
    large = photo.resize((1600, 1067))
    return {
        "on its side": _saved(photo, "JPEG", exif=turned),
        "progressive": _saved(large, "JPEG", progressive=True),
        "for print": _saved(photo.convert("CMYK"), "JPEG"),
        "gray in 16 bits": _saved(photo.convert("I;16"), "PNG"),
        "black and white": _saved(photo.convert("1"), "PNG"),
        "with a palette": _saved(photo.quantize(), "PNG"),
        "moving": _saved(photo, "GIF", save_all=True, append_images=[photo.rotate(90)]),
        "transparent": _saved(clear, "WEBP", lossless=True, method=0),
        "an AVIF": _saved(photo, "AVIF", speed=10),
        "a TIFF": _saved(photo.transpose(Image.Transpose.ROTATE_180), "TIFF", compression="tiff_lzw"),
        "one pixel": _saved(photo.resize((1, 1)), "PNG"),
        "a hair": _saved(photo.resize((3000, 2)), "BMP"),
    }


def _refused(photo: bytes) -> dict[str, bytes]:
    return {
        "empty": b"",
        "a text": b"This is not a photo.",
        "a drawing": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "half a photo": photo[: len(photo) // 2],
        "noise behind a good start": b"\xff\xd8\xff" + bytes(range(256)) * 8,
        "too many pixels": _saved(Image.new("1", (12_000, 9_000)), "PNG"),
    }


def _saved(picture: Image.Image, format_: str, **options: object) -> bytes:
    file = BytesIO()
    picture.save(file, format_, **options)
    return file.getvalue()
