"""What the demo waits for and finds: items of the catalogue, and thumbnails."""

import re
import time
from collections.abc import Callable
from typing import Any

from local.errors import SandboxError
from local.sandbox import Sandbox

PATIENCE_SECONDS = 30
_LAST_LINE_OF_TRACEBACK = re.compile(r"[a-zA-Z_][\w.]*: ")


def wait_until(sandbox: Sandbox, what: str, look: Callable[[], bool]) -> None:
    """Look until it is true. Raises SandboxError with what the function logged when that does not come in time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        sandbox.emulator.check()
        if look():
            return
        time.sleep(0.1)
    errors = [line for line in sandbox.log_lines("Thumbnails") if _LAST_LINE_OF_TRACEBACK.match(line)]
    why = "\n  ".join(["The function logged:", *dict.fromkeys(errors)]) if errors else "The function logged no error."
    raise SandboxError(f"Not within {PATIENCE_SECONDS} seconds: {what}. {why}")


def wait_for_item(sandbox: Sandbox, key: str, state: str) -> dict[str, Any]:
    """The catalogue's item of this photo, once it has this state."""

    def item() -> dict[str, Any]:
        return next((item for item in catalogue_items(sandbox) if item["key"] == key and item["state"] == state), {})

    wait_until(sandbox, f"{key!r} is {state}", lambda: bool(item()))
    return item()


def catalogue_items(sandbox: Sandbox) -> list[dict[str, Any]]:
    """All items of the catalogue."""
    return sandbox.table_items(sandbox.outputs["Thumbnails"]["CatalogueTable"])


def thumbnail_keys(sandbox: Sandbox) -> list[str]:
    """All object keys of the thumbnails bucket."""
    bucket = sandbox.outputs["Thumbnails"]["ThumbnailsBucket"]
    return [entry["Key"] for entry in sandbox.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]
