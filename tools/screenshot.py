"""Take the screenshot of the gallery page in the README: `python -m tools.screenshot`."""

import argparse
import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, ViewportSize, expect

from local.console import step
from local.emulator import ROOT
from local.errors import SandboxError
from local.sandbox import Sandbox, running_sandbox
from tools.browser import running_browser
from tools.gallery_page import GalleryPage

SCREENSHOT = ROOT / "docs" / "gallery.png"
MAX_BYTES = 300_000  # every version stays in the git history

_VIEWPORT: ViewportSize = {"width": 1280, "height": 390}
_TIMEOUT = 60_000  # milliseconds


def take_screenshot() -> None:
    """Start a sandbox, fill its gallery, and save a screenshot. Raises SandboxError."""
    with running_browser() as browser, running_sandbox() as sandbox:
        sandbox.deploy()
        with step("the gallery page in Chromium") as findings:
            take(sandbox, browser, SCREENSHOT)
            findings.append(f"{SCREENSHOT.relative_to(ROOT)}, {SCREENSHOT.stat().st_size} bytes")


def take(sandbox: Sandbox, browser: Browser, file: Path) -> None:
    """Upload photos and an invalid file, create an album, and save a screenshot. Raises Playwright's errors."""
    context = browser.new_context(viewport=_VIEWPORT, device_scale_factor=1.5)
    page = context.new_page()
    page.set_default_timeout(_TIMEOUT)
    gallery = GalleryPage(page, sandbox.outputs["Ecs"]["GalleryUrl"], sandbox.api_key())
    gallery.open()
    with tempfile.TemporaryDirectory() as folder:
        invalid = Path(folder) / "holiday.jpg"
        invalid.write_text("This is not a photo.")
        gallery.upload(*sorted((ROOT / "samples").glob("*.[jp][pn]g")), invalid)
        expect(gallery.thumbnails).to_have_count(4, timeout=_TIMEOUT)
        expect(gallery.cards.filter(has_text="holiday.jpg: ")).to_have_count(1, timeout=_TIMEOUT)
    gallery.create_album("Summer 2026")
    gallery.albums.get_by_role("link").wait_for()
    page.mouse.move(0, 0)
    expect(gallery.notices).to_have_count(0, timeout=_TIMEOUT)
    _save(page.screenshot(), file)
    context.close()


def _save(screenshot: bytes, file: Path) -> None:
    """Save with a palette of 256 colors, which adds only a little grain to photos."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.open(io.BytesIO(screenshot)).convert("RGB").quantize(256).save(file, "PNG", optimize=True)


def main() -> None:
    """Take the screenshot. Exit with 1 and the reason when Chromium is missing or the sandbox fails."""
    argparse.ArgumentParser(prog="python -m tools.screenshot", description=__doc__).parse_args()
    try:
        take_screenshot()
    except SandboxError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
