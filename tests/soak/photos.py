"""Files that the clients upload: photographs, unusual images, and files that the service has to reject."""

from PIL import Image

from photos.errors import PhotoRejected
from photos.imaging import make_thumbnails
from tests.lambda_src.photos.images import encode, open_image, sample
from tools.photos import invalid_files

# The expected result for a file: thumbnails by size in pixels, or a rejection.
Outcome = dict[int, bytes] | PhotoRejected


def soak_images() -> dict[str, bytes]:
    """Return the files by name."""
    photos = {name: sample(name) for name in ("chelsea.png", "coffee-turned.jpg", "rocket.jpg")}
    rejected = {name: body for name, (body, _) in invalid_files().items()}
    return photos | _unusual(open_image(photos["rocket.jpg"])) | rejected


def expected_outcome(image: bytes) -> Outcome:
    """Return the expected result for a file, under any key and after any number of uploads."""
    try:
        return make_thumbnails(image)
    except PhotoRejected as rejection:
        return rejection


def _unusual(photo: Image.Image) -> dict[str, bytes]:
    rotated = Image.Exif()
    rotated[0x0112] = 6
    transparent = photo.convert("RGBA")
    transparent.putalpha(transparent.getchannel("G"))
    large = photo.resize((1600, 1067))
    return {
        "rotated by EXIF": encode(photo, "JPEG", exif=rotated),
        "progressive": encode(large, "JPEG", progressive=True),
        "CMYK": encode(photo.convert("CMYK"), "JPEG"),
        "16-bit grayscale": encode(photo.convert("I;16"), "PNG"),
        "1 bit per pixel": encode(photo.convert("1"), "PNG"),
        "palette": encode(photo.quantize(), "PNG"),
        "animated": encode(photo, "GIF", save_all=True, append_images=[photo.rotate(90)]),
        "transparent": encode(transparent, "WEBP", lossless=True, method=0),
        "AVIF": encode(photo, "AVIF", speed=10),
        "TIFF": encode(photo.transpose(Image.Transpose.ROTATE_180), "TIFF", compression="tiff_lzw"),
        "1 × 1 pixel": encode(photo.resize((1, 1)), "PNG"),
        "3000 × 2 pixels": encode(photo.resize((3000, 2)), "BMP"),
    }
