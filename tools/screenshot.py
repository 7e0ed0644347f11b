"""The README's picture of the gallery page: real photos, one refusal and an album, taken by a browser."""

import argparse
import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, expect

from local.console import step
from local.emulator import ROOT
from local.errors import SandboxError
from local.sandbox import Sandbox, running_sandbox
from tools.browser import running_browser
from tools.gallery_page import GalleryPage

PICTURE = ROOT / "docs" / "gallery.png"
MAX_BYTES = 300_000  # it is part of the project's history each time it changes

_SIZE = {"width": 1280, "height": 390}
_PATIENCE_MS = 60_000


def take_picture() -> None:
    """Take it in a sandbox of its own. Raises SandboxError."""
    with running_browser() as browser, running_sandbox() as sandbox:
        sandbox.deploy()
        with step("the gallery page in Chromium") as proved:
            take(sandbox, browser, PICTURE)
            proved.append(f"{PICTURE.relative_to(ROOT)}, {PICTURE.stat().st_size} bytes")


def take(sandbox: Sandbox, browser: Browser, file: Path) -> None:
    """Use the page as a person does, and save what it looks like then. Raises Playwright's errors."""
    context = browser.new_context(viewport=_SIZE, device_scale_factor=1.5)  # type: ignore[arg-type]  # it is a ViewportSize
    page = context.new_page()
    page.set_default_timeout(_PATIENCE_MS)
    gallery = GalleryPage(page, sandbox.outputs["Ecs"]["GalleryUrl"], sandbox.api_key())
    gallery.open()
    with tempfile.TemporaryDirectory() as folder:
        broken = Path(folder) / "holiday.jpg"
        broken.write_text("This is not a photo.")
        gallery.upload(*sorted((ROOT / "samples").glob("*.[jp][pn]g")), broken)
        expect(gallery.thumbnails).to_have_count(4, timeout=_PATIENCE_MS)
        expect(gallery.cards.filter(has_text="holiday.jpg: This")).to_have_count(1, timeout=_PATIENCE_MS)
    gallery.order_album("Summer 2026")
    gallery.albums.get_by_role("link").wait_for()
    page.mouse.move(0, 0)
    expect(gallery.notices).to_have_count(0, timeout=_PATIENCE_MS)
    _save(page.screenshot(), file)
    context.close()


def _save(screenshot: bytes, file: Path) -> None:
    """As small as a picture of few colours can be; photographs show no more than a grain of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.open(io.BytesIO(screenshot)).convert("RGB").quantize(256).save(file, "PNG", optimize=True)


def main() -> None:
    """Take it. Exits with one line when there is no browser, or the sandbox fails."""
    argparse.ArgumentParser(prog="python -m tools.screenshot", description=__doc__).parse_args()
    try:
        take_picture()
    except SandboxError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
