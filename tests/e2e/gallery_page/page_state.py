"""The state of the gallery page and of the photos behind it."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator

from local.emulator import ROOT
from local.sandbox import Sandbox
from tests.e2e.photos import catalogue
from tools.gallery_page import GalleryPage

# Requests of the page to the API and to S3.
API = "**/_aws/execute-api/**"
UPLOADS = re.compile("/other-compute-thumbnails-originals")
SCREENSHOTS = ROOT / ".cache" / "screenshots"


def save_screenshot(gallery: GalleryPage, name: str) -> None:
    """Save a screenshot of the visible part of the page to `.cache/screenshots`."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    gallery.page.screenshot(path=SCREENSHOTS / f"{name}.png")


def photo_states(sandbox: Sandbox) -> dict[str, str]:
    """Return the state of every photo in the catalogue by file name."""
    return {key.rpartition("/")[2]: item["state"] for key, item in catalogue(sandbox).items()}


def eventually(gallery: GalleryPage, condition: Callable[[], bool]) -> None:
    """Poll a condition until it is true, while the page handles its events.

    Raises:
        AssertionError: If the condition is still false after a minute.
    """
    for _ in range(600):
        if condition():
            return
        gallery.page.wait_for_timeout(100)
    raise AssertionError("Not true after a minute")


def image_source(image: Locator) -> str:
    """Return the URL of a loaded image, or an empty string."""
    return str(image.evaluate("image => image.complete && image.naturalWidth ? image.currentSrc : ''"))
