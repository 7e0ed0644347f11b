"""Lambda: a photo is uploaded, its thumbnails are looked at; a file that is none is refused; both are deleted."""

import io

from PIL import Image, ImageChops, ImageOps, ImageStat

from local.console import step
from local.demo.catalogue import items, thumbnail_keys, wait, wait_for_item
from local.emulator import ROOT
from local.errors import SandboxError
from local.sandbox import Sandbox

# Held upright by the camera, stored turned, with a GPS position: all three must be gone from its thumbnails.
PHOTO = ROOT / "local" / "photos" / "coffee-turned.jpg"
KEY = "holidays 2026/café + cake.jpg"
RESULTS = ROOT / ".cache" / "demo"

# What a person would put into the bucket by mistake.
_NOT_A_PHOTO = ("holiday.jpg", b"This is not a photo.")


def upload(sandbox: Sandbox) -> None:
    """Put a photo into the originals bucket, and look at its thumbnails as a person does. Raises SandboxError."""
    with step(f"S3 → SQS → Lambda: {PHOTO.name} uploaded as {KEY!r}") as proved:
        sandbox.client("s3").upload_file(str(PHOTO), sandbox.outputs["Thumbnails"]["OriginalsBucket"], KEY)
        item = wait_for_item(sandbox, KEY, "ready")
        proved.append(f"the catalogue says {item['state']}, id {item['id']}")
    with step("the thumbnails, looked at") as proved:
        RESULTS.mkdir(parents=True, exist_ok=True)
        for size, key in sorted(item["thumbnails"].items(), key=lambda entry: int(entry[0])):
            answer = sandbox.client("s3").get_object(Bucket=sandbox.outputs["Thumbnails"]["ThumbnailsBucket"], Key=key)
            webp = answer["Body"].read()
            proved.append(_look_at(int(size), webp))
            (RESULTS / f"coffee-{size}.webp").write_bytes(webp)


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
    return (
        f"{width} × {height} pixels, {len(webp) / 1024:.1f} KiB, WebP: upright, no metadata, "
        f"pixels {difference:.1f} of 255 from the photo's"
    )


def refuse(sandbox: Sandbox) -> None:
    """Put a text there under the name of a photo. Raises SandboxError."""
    with step(f"a text file named {_NOT_A_PHOTO[0]} is refused, once") as proved:
        bucket = sandbox.outputs["Thumbnails"]["OriginalsBucket"]
        key, body = _NOT_A_PHOTO
        sandbox.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
        item = wait_for_item(sandbox, key, "rejected")
        proved.append(f"{item['code']}: {item['reason']}")


def delete(sandbox: Sandbox) -> None:
    """Delete both, and see that nothing of them is left. Raises SandboxError."""
    with step("both deleted: thumbnails and items go with them") as proved:
        outputs = sandbox.outputs["Thumbnails"]
        for key in (KEY, _NOT_A_PHOTO[0]):
            sandbox.client("s3").delete_object(Bucket=outputs["OriginalsBucket"], Key=key)
        wait(sandbox, "the catalogue is empty", lambda: not items(sandbox))
        left = [key for key in thumbnail_keys(sandbox) if not key.startswith(("albums/", "reports/"))]
        if left:
            raise SandboxError(f"Thumbnails are left: {left}")
        proved.append("the catalogue is empty, and no thumbnail is left")
