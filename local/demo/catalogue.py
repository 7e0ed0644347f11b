"""Waiting for and reading the catalogue and the thumbnails."""

import re
import time
from collections.abc import Callable
from typing import Any

from local.errors import SandboxError
from local.sandbox import Sandbox

TIMEOUT_SECONDS = 60  # a worker that starts on a busy machine
_LAST_LINE_OF_TRACEBACK = re.compile(r"[a-zA-Z_][\w.]*: ")


def wait_until(sandbox: Sandbox, description: str, condition: Callable[[], bool], *, stack: str = "") -> None:
    """Wait until a condition is true.

    Args:
        sandbox: The deployment.
        description: The condition as a clause, for the error message.
        condition: Called ten times a second.
        stack: The stack whose logs explain why the condition does not become true; by default the one that makes
            thumbnails.

    Raises:
        SandboxError: The condition is not true within a minute. The message contains the logged errors.
    """
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        sandbox.emulator.check()
        if condition():
            return
        time.sleep(0.1)
    stack = stack or consumer_stack(sandbox)
    errors = [line for line in sandbox.log_lines(stack) if _LAST_LINE_OF_TRACEBACK.match(line)]
    logged = "\n  ".join([f"Errors in the logs of {stack}:", *dict.fromkeys(errors)]) if errors else "No logged errors."
    raise SandboxError(f"Not true after {TIMEOUT_SECONDS} seconds: {description}. {logged}")


def consumer_stack(sandbox: Sandbox) -> str:
    """Return the id of the stack with the compute that makes thumbnails."""
    return "Workers" if "Workers" in sandbox.outputs else "Thumbnails"


def wait_for_item(sandbox: Sandbox, key: str, state: str) -> dict[str, Any]:
    """Wait until the catalogue item of an object key has a state, and return the item."""

    def find() -> dict[str, Any]:
        items = catalogue_items(sandbox)
        return next((item for item in items if item["key"] == key and item["state"] == state), {})

    wait_until(sandbox, f"{key!r} is {state}", lambda: bool(find()))
    return find()


def catalogue_items(sandbox: Sandbox) -> list[dict[str, Any]]:
    """Return all items of the catalogue."""
    return sandbox.table_items(sandbox.outputs["Thumbnails"]["CatalogueTable"])


def thumbnail_keys(sandbox: Sandbox) -> list[str]:
    """Return all object keys of the thumbnails bucket."""
    bucket = sandbox.outputs["Thumbnails"]["ThumbnailsBucket"]
    return [entry["Key"] for entry in sandbox.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]
