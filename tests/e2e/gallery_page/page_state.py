"""What the tests of the gallery page look at, and keep."""

import re
from collections.abc import Callable
from typing import Any

from local.emulator import ROOT
from local.sandbox import Sandbox
from tools.gallery_page import GalleryPage

PHOTOS = ROOT / "samples"
ROCKET, COFFEE, RETINA = (PHOTOS / name for name in ("rocket.jpg", "coffee-turned.jpg", "retina.jpg"))
# What the page calls of S3.
UPLOADS = re.compile("/other-compute-thumbnails-originals")
SCREENSHOTS = ROOT / ".cache" / "screenshots"


def picture(gallery: GalleryPage, name: str) -> None:
    """Keep a picture of what is in the window."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    gallery.page.screenshot(path=SCREENSHOTS / f"{name}.png")


def in_service(sandbox: Sandbox) -> dict[str, str]:
    """The state of each photo, by the name of its file."""
    items = sandbox.table_items(sandbox.outputs["Thumbnails"]["CatalogueTable"])
    return {item["key"].rpartition("/")[2]: item["state"] for item in items}


def eventually(gallery: GalleryPage, look: Callable[[], bool]) -> None:
    """Look until it is true; the page goes on meanwhile. Raises AssertionError if that does not come in time."""
    for _ in range(300):
        if look():
            return
        gallery.page.wait_for_timeout(100)
    raise AssertionError("not in time")


def loaded(image: Any) -> str:
    """Where the picture that is shown came from; empty if none is."""
    return str(image.evaluate("image => image.complete && image.naturalWidth ? image.currentSrc : ''"))
