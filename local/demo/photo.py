"""Lambda: photos are uploaded, their thumbnails looked at; a file that is none is refused; all are deleted."""

import io
from collections.abc import Mapping

from PIL import Image, ImageChops, ImageOps, ImageStat

from local.console import step
from local.demo.catalogue import catalogue_items, thumbnail_keys, wait_for_item, wait_until
from local.emulator import ROOT
from local.errors import SandboxError
from local.sandbox import Sandbox

# Held upright by the camera, stored turned, with a GPS position: all three must be gone from its thumbnails.
PHOTO = ROOT / "samples" / "coffee-turned.jpg"
KEY = "holidays 2026/café + cake.jpg"
RESULTS = ROOT / ".cache" / "demo"

# With the one above, and the one uploaded by the API: more than a page of an album takes.
_MORE = [f"holidays 2026/{name}" for name in ("日本", "no extension", *(f"IMG_{number:04}.JPG" for number in range(9)))]

# What a person would put into the bucket by mistake.
_NOT_A_PHOTO = ("holiday.jpg", b"This is not a photo.")


def upload_photos(sandbox: Sandbox) -> None:
    """Put photos into the originals bucket, and look at the thumbnails of one. Raises SandboxError."""
    s3, bucket = sandbox.client("s3"), sandbox.outputs["Thumbnails"]["OriginalsBucket"]
    with step(f"S3 → SQS → Lambda: {1 + len(_MORE)} photos put straight into the bucket, under any key") as proved:
        # One after the other: as many at once start as many functions, which is much for a small machine.
        for key in (*_MORE, KEY):
            s3.upload_file(str(PHOTO), bucket, key)
            item = wait_for_item(sandbox, key, "ready")
        proved.append("the catalogue says that all are ready")
        thumbnails = {
            int(size): s3.get_object(Bucket=sandbox.outputs["Thumbnails"]["ThumbnailsBucket"], Key=key)["Body"].read()
            for size, key in item["thumbnails"].items()
        }
        keep_and_look_at(thumbnails)
        proved.append(f"{KEY!r} has the thumbnails it should have")


def keep_and_look_at(thumbnails: Mapping[int, bytes]) -> list[str]:
    """Keep the thumbnails of PHOTO by their sizes, and say how they look. Raises SandboxError if not like it."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    for size, webp in thumbnails.items():
        (RESULTS / f"coffee-{size}.webp").write_bytes(webp)
    return [_look_at(size, webp) for size, webp in sorted(thumbnails.items())]


def _look_at(size: int, webp: bytes) -> str:
    """Compare a thumbnail with the photo as a person sees it. Raises SandboxError if it is another picture."""
    thumbnail = Image.open(io.BytesIO(webp))
    photo = ImageOps.exif_transpose(Image.open(PHOTO)).convert("RGB")
    photo.thumbnail((size, size))
    if thumbnail.format != "WEBP" or thumbnail.size != photo.size:
        raise SandboxError(f"Expected a WebP of {photo.size} pixels, got {thumbnail.format} of {thumbnail.size}.")
    if thumbnail.getexif():
        raise SandboxError(f"The thumbnail carries metadata: {dict(thumbnail.getexif())}")
    difference = max(ImageStat.Stat(ImageChops.difference(thumbnail.convert("RGB"), photo)).mean)
    if difference > 10:
        raise SandboxError(f"The thumbnail is another picture: its pixels differ by {difference:.0f} of 255.")
    width, height = thumbnail.size
    how = "fitted into" if max(thumbnail.size) == size else "not enlarged to"
    return (
        f"{width} × {height} pixels, {how} {size}: {len(webp) / 1024:.1f} KiB of WebP, upright, no metadata, "
        f"{difference:.1f} of 255 off the photo's colours"
    )


def reject_text_file(sandbox: Sandbox) -> None:
    """Put a text there under the name of a photo. Raises SandboxError."""
    with step(f"S3 → SQS → Lambda: a text file named {_NOT_A_PHOTO[0]} is refused, once") as proved:
        bucket = sandbox.outputs["Thumbnails"]["OriginalsBucket"]
        key, body = _NOT_A_PHOTO
        sandbox.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
        item = wait_for_item(sandbox, key, "rejected")
        proved.append(f"{item['code']}: {item['reason']}")


def delete_photos(sandbox: Sandbox) -> None:
    """Empty the originals bucket, and see that nothing of the photos is left. Raises SandboxError."""
    with step("S3 → SQS → Lambda: all originals deleted, thumbnails and items go with them") as proved:
        s3, bucket = sandbox.client("s3"), sandbox.outputs["Thumbnails"]["OriginalsBucket"]
        for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]:
            s3.delete_object(Bucket=bucket, Key=entry["Key"])
        wait_until(sandbox, "the catalogue is empty", lambda: not catalogue_items(sandbox))
        # A moment later: the function removes an item first, and then what that named.
        wait_until(
            sandbox,
            "no thumbnail is left",
            lambda: all(key.startswith(("albums/", "reports/")) for key in thumbnail_keys(sandbox)),
        )
        proved.append("the catalogue is empty, and no thumbnail is left")
