"""The demo: one real photo through everything, then nothing left. Each step says what it proved."""

import io
import json
import re
import time
from collections.abc import Callable
from typing import Any

from PIL import Image, ImageChops, ImageOps, ImageStat

from local.console import headline, step
from local.emulator import ROOT
from local.errors import SandboxError
from local.inventory import inventory
from local.sandbox import Sandbox, running_sandbox

# Held upright by the camera, stored turned, with a GPS position: all three must be gone from its thumbnails.
PHOTO = ROOT / "local" / "photos" / "coffee-turned.jpg"
_KEY = "holidays 2026/café + cake.jpg"
_RESULTS = ROOT / ".cache" / "demo"
_PATIENCE_SECONDS = 30
_LAST_LINE_OF_TRACEBACK = re.compile(r"[a-zA-Z_][\w.]*: ")

# What a person would put into the bucket by mistake.
_NOT_A_PHOTO = ("holiday.jpg", b"This is not a photo.")


def run_demo(port: int | None = None) -> None:
    """Run all of it. Raises SandboxError, which says what failed and why, at the first step that fails."""
    start = time.monotonic()
    headline("A sandbox on this machine")
    with running_sandbox(port) as sandbox:
        before = inventory(sandbox.client)
        sandbox.deploy()
        headline("A photo goes through it")
        _upload(sandbox)
        _sweep(sandbox)
        _refuse(sandbox)
        _delete(sandbox)
        headline("Nothing is left")
        sandbox.destroy()
        _nothing_left(sandbox, before)
    print(
        f"\nAll of it worked, in {time.monotonic() - start:.0f} s. The thumbnails are in {_RESULTS.relative_to(ROOT)}/"
    )


def _upload(sandbox: Sandbox) -> None:
    with step(f"S3 → SQS → Lambda: {PHOTO.name} uploaded as {_KEY!r}") as proved:
        sandbox.client("s3").upload_file(str(PHOTO), sandbox.outputs["Thumbnails"]["OriginalsBucket"], _KEY)
        item = wait_for_item(sandbox, _KEY, "ready")
        proved.append(f"the catalogue says {item['state']}, id {item['id']}")
    with step("the thumbnails, looked at") as proved:
        _RESULTS.mkdir(parents=True, exist_ok=True)
        for size, key in sorted(item["thumbnails"].items(), key=lambda entry: int(entry[0])):
            answer = sandbox.client("s3").get_object(Bucket=sandbox.outputs["Thumbnails"]["ThumbnailsBucket"], Key=key)
            webp = answer["Body"].read()
            proved.append(_look_at(int(size), webp))
            (_RESULTS / f"coffee-{size}.webp").write_bytes(webp)


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


def _sweep(sandbox: Sandbox) -> None:
    with step("EventBridge Scheduler's function: the sweep makes a lost thumbnail again") as proved:
        bucket = sandbox.outputs["Thumbnails"]["ThumbnailsBucket"]
        lost = wait_for_item(sandbox, _KEY, "ready")["thumbnails"]["256"]
        sandbox.client("s3").delete_object(Bucket=bucket, Key=lost)
        answer = sandbox.client("lambda").invoke(FunctionName=sandbox.outputs["Cron"]["SweepFunction"])
        progress = json.load(answer["Payload"])
        if "counts" not in progress:
            raise SandboxError(f"The sweep failed: {progress.get('errorMessage', progress)}")
        _wait(sandbox, "the thumbnail is back", lambda: lost in _thumbnail_keys(sandbox))
        proved.append(", ".join(f"{name.replace('_', ' ')}: {count}" for name, count in progress["counts"].items()))


def _thumbnail_keys(sandbox: Sandbox) -> list[str]:
    bucket = sandbox.outputs["Thumbnails"]["ThumbnailsBucket"]
    return [entry["Key"] for entry in sandbox.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]


def _refuse(sandbox: Sandbox) -> None:
    with step(f"a text file named {_NOT_A_PHOTO[0]} is refused, once") as proved:
        bucket = sandbox.outputs["Thumbnails"]["OriginalsBucket"]
        key, body = _NOT_A_PHOTO
        sandbox.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
        item = wait_for_item(sandbox, key, "rejected")
        proved.append(f"{item['code']}: {item['reason']}")


def _delete(sandbox: Sandbox) -> None:
    with step("both deleted: thumbnails and items go with them") as proved:
        outputs = sandbox.outputs["Thumbnails"]
        for key in (_KEY, _NOT_A_PHOTO[0]):
            sandbox.client("s3").delete_object(Bucket=outputs["OriginalsBucket"], Key=key)
        _wait(sandbox, "the catalogue is empty", lambda: not _items(sandbox))
        left = [key for key in _thumbnail_keys(sandbox) if not key.startswith("reports/")]
        if left:
            raise SandboxError(f"Thumbnails are left: {left}")
        proved.append("the catalogue is empty, and no thumbnail is left")


def _nothing_left(sandbox: Sandbox, before: set[str]) -> None:
    with step("look for what is left") as proved:
        left = inventory(sandbox.client) - before
        if left:
            raise SandboxError("Left after destroy: " + ", ".join(sorted(left)))
        proved.append("no stack, bucket, queue, table, function, log group, role or alarm but the CDK bootstrap's own:")
        proved.append(", ".join(sorted(before)))


def _wait(sandbox: Sandbox, what: str, look: Callable[[], bool]) -> None:
    """Look until it is true. Raises SandboxError with what the function logged when that does not come in time."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        sandbox.emulator.check()
        if look():
            return
        time.sleep(0.1)
    errors = [line for line in sandbox.log_lines("Thumbnails") if _LAST_LINE_OF_TRACEBACK.match(line)]
    why = "\n  ".join(["The function logged:", *dict.fromkeys(errors)]) if errors else "The function logged no error."
    raise SandboxError(f"Not within {_PATIENCE_SECONDS} seconds: {what}. {why}")


def wait_for_item(sandbox: Sandbox, key: str, state: str) -> dict[str, Any]:
    """The catalogue's item of this photo, once it has this state."""

    def item() -> dict[str, Any]:
        return next((item for item in _items(sandbox) if item["key"] == key and item["state"] == state), {})

    _wait(sandbox, f"{key!r} is {state}", lambda: bool(item()))
    return item()


def _items(sandbox: Sandbox) -> list[dict[str, Any]]:
    return sandbox.items(sandbox.outputs["Thumbnails"]["CatalogueTable"])
