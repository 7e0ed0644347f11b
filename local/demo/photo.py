"""Uploaded photos get thumbnails, a text file is rejected, and deletions propagate."""

import io
from collections.abc import Mapping

from PIL import Image, ImageChops, ImageOps, ImageStat

from local.console import step
from local.demo.catalogue import catalogue_items, thumbnail_keys, wait_for_item, wait_until
from local.demo.consumer import consumer, processed_events
from local.emulator import ROOT
from local.errors import SandboxError
from local.sandbox import Sandbox

# A rotated photo with an EXIF orientation and a GPS position: thumbnails are upright and contain no metadata.
PHOTO = ROOT / "samples" / "coffee-turned.jpg"
KEY = "holidays 2026/café + cake.jpg"
RESULTS = ROOT / ".cache" / "demo"

# With the photo above and the one uploaded by the API, these need two pages of an album.
_OTHER_KEYS = [
    f"holidays 2026/{name}" for name in ("日本", "no extension", *(f"IMG_{number:04}.JPG" for number in range(9)))
]

_TEXT_FILE = ("holiday.jpg", b"This is not a photo.")


def upload_photos(sandbox: Sandbox) -> None:
    """Upload photos to the originals bucket, and verify the thumbnails of one. Raises SandboxError."""
    s3, outputs = sandbox.client("s3"), sandbox.outputs["Thumbnails"]
    keys = [*_OTHER_KEYS, KEY]
    compute = consumer(sandbox)
    with step(f"S3 → SQS → {compute}: upload {len(keys)} photos directly to the bucket, under any key") as findings:
        # One after the other, because parallel uploads start as many functions, which is slow on a small machine.
        for key in keys:
            s3.upload_file(str(PHOTO), outputs["OriginalsBucket"], key)
            item = wait_for_item(sandbox, key, "ready")
        findings.append(f"all are ready in the catalogue; {processed_events(sandbox)}")
        thumbnails = {
            int(size): s3.get_object(Bucket=outputs["ThumbnailsBucket"], Key=key)["Body"].read()
            for size, key in item["thumbnails"].items()
        }
        save_and_verify(thumbnails)
        findings.append(f"the thumbnails of {KEY!r} match the photo")


def save_and_verify(thumbnails: Mapping[int, bytes]) -> list[str]:
    """Save the thumbnails of PHOTO, and compare them with it.

    Args:
        thumbnails: WebP images by size in pixels.

    Returns:
        One line about each thumbnail.

    Raises:
        SandboxError: A thumbnail does not match the photo.
    """
    RESULTS.mkdir(parents=True, exist_ok=True)
    for size, webp in thumbnails.items():
        (RESULTS / f"coffee-{size}.webp").write_bytes(webp)
    photo = ImageOps.exif_transpose(Image.open(PHOTO)).convert("RGB")
    return [verify_thumbnail(photo, size, webp) for size, webp in sorted(thumbnails.items())]


def verify_thumbnail(photo: Image.Image, size: int, webp: bytes) -> str:
    """Compare a thumbnail with the photo.

    Args:
        photo: Upright, in sRGB.
        size: Side, in pixels, of the square that the thumbnail must fit in.
        webp: The thumbnail.

    Returns:
        A line about the thumbnail.

    Raises:
        SandboxError: The thumbnail does not match the photo.
    """
    thumbnail = Image.open(io.BytesIO(webp))
    expected = photo.copy()
    expected.thumbnail((size, size))
    if thumbnail.format != "WEBP" or thumbnail.size != expected.size:
        raise SandboxError(
            f"Expected a WebP of {expected.size} pixels, but got {thumbnail.format} of {thumbnail.size}."
        )
    if thumbnail.getexif():
        raise SandboxError(f"The thumbnail contains metadata: {dict(thumbnail.getexif())}")
    difference = max(ImageStat.Stat(ImageChops.difference(thumbnail.convert("RGB"), expected)).mean)
    if difference > 10:
        raise SandboxError(f"The thumbnail shows another image: its pixels differ by {difference:.0f} of 255.")
    width, height = thumbnail.size
    fit = f"fits {size}" if max(thumbnail.size) == size else f"not enlarged to {size}"
    return (
        f"{width} × {height} pixels ({fit}), {len(webp) / 1024:.1f} KiB WebP, upright, no metadata, "
        f"colors within {difference:.1f} of 255"
    )


def reject_text_file(sandbox: Sandbox) -> None:
    """Upload a text file with the name of a photo, and verify that it is rejected. Raises SandboxError."""
    key, body = _TEXT_FILE
    with step(f"S3 → SQS → {consumer(sandbox)}: reject a text file named {key}") as findings:
        sandbox.client("s3").put_object(Bucket=sandbox.outputs["Thumbnails"]["OriginalsBucket"], Key=key, Body=body)
        item = wait_for_item(sandbox, key, "rejected")
        findings.append(f"{item['code']}: {item['reason']}")


def delete_photos(sandbox: Sandbox) -> None:
    """Delete all originals, and verify that their thumbnails and items are deleted. Raises SandboxError."""
    compute = consumer(sandbox)
    with step(f"S3 → SQS → {compute}: delete all originals, and with them their thumbnails and items") as findings:
        s3, bucket = sandbox.client("s3"), sandbox.outputs["Thumbnails"]["OriginalsBucket"]
        for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]:
            s3.delete_object(Bucket=bucket, Key=entry["Key"])
        wait_until(sandbox, "the catalogue is empty", lambda: not catalogue_items(sandbox))
        # The thumbnailer deletes an item before its thumbnails.
        wait_until(
            sandbox,
            "no thumbnail remains",
            lambda: all(key.startswith(("albums/", "reports/")) for key in thumbnail_keys(sandbox)),
        )
        findings.append("the catalogue is empty, and no thumbnail remains")
