"""Record the animation of the gallery page in the README: `python -m tools.screenshot`."""

import argparse
import base64
import html
import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect

from local.console import step
from local.emulator import ROOT
from local.errors import SandboxError
from local.sandbox import Sandbox, running_sandbox
from tools.browser import running_browser
from tools.gallery_page import GalleryPage

ANIMATION = ROOT / "docs" / "gallery.webp"
MAX_BYTES = 400_000  # every version stays in the git history

_PHOTOS = [ROOT / "samples" / name for name in ("chelsea.png", "coffee-turned.jpg", "rocket.jpg")]
_VIEWPORT: ViewportSize = {"width": 1060, "height": 430}  # CSS pixels: three photos and a rejected file in one row
_CAPTION_HEIGHT = 48  # CSS pixels
_SCALE = 1.5  # pixels per CSS pixel
_FRAME_MS = 2000
_UPLOAD_SPEED = 50_000  # bytes per second, so that the page shows the progress of an upload
_TIMEOUT = 60_000  # milliseconds

# The font and colors of the gallery page.
_CAPTIONED = """<style>
  * {{ margin: 0 }}
  img {{ display: block; width: 100% }}
  p {{ background: #176b62; color: #faf9f6; font: 1.25rem/{height}px system-ui, sans-serif; text-align: center }}
</style><img src="data:image/png;base64,{screenshot}"><p>{caption}</p>"""


class _Frames:
    """Screenshots of a page, each with a caption below."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._captioned = page.context.new_page()
        self._captioned.set_viewport_size(_VIEWPORT | {"height": _VIEWPORT["height"] + _CAPTION_HEIGHT})
        self._images: list[Image.Image] = []

    def add(self, caption: str) -> None:
        """Take a screenshot."""
        screenshot = base64.b64encode(self._page.screenshot()).decode()
        values = {"height": _CAPTION_HEIGHT, "screenshot": screenshot, "caption": html.escape(caption)}
        self._captioned.set_content(_CAPTIONED.format(**values))
        self._images.append(Image.open(io.BytesIO(self._captioned.screenshot())).convert("RGB"))

    def save(self, file: Path) -> None:
        """Save the frames as an animation that starts again after the last one."""
        first, *others = self._images
        # method=6 takes seconds and makes the file a quarter smaller.
        first.save(file, save_all=True, append_images=others, duration=_FRAME_MS, loop=0, quality=75, method=6)


def record_animation() -> None:
    """Start a sandbox, use its gallery, and save the animation. Raises SandboxError."""
    with running_browser() as browser, running_sandbox() as sandbox:
        sandbox.deploy()
        with step("the gallery page in Chromium") as findings:
            record(sandbox, browser, ANIMATION)
            findings.append(f"{ANIMATION.relative_to(ROOT)}, {ANIMATION.stat().st_size} bytes")


def record(sandbox: Sandbox, browser: Browser, file: Path) -> None:
    """Upload photos and an invalid file, create an album, and save an animation. Raises Playwright's errors."""
    context = browser.new_context(viewport=_VIEWPORT, device_scale_factor=_SCALE)
    page = context.new_page()
    page.set_default_timeout(_TIMEOUT)
    gallery = GalleryPage(page, sandbox.outputs["Ecs"]["GalleryUrl"], sandbox.api_key())
    frames = _Frames(page)

    gallery.open()
    expect(gallery.served_by).to_contain_text("ECS on ", timeout=_TIMEOUT)
    gallery.empty_notice.wait_for()
    frames.add("Amazon ECS serves the gallery page, on AWS Fargate and on EC2.")
    _upload(gallery, frames)

    small = gallery.thumbnails.first.get_by_role("img").get_attribute("src") or ""
    gallery.thumbnails.first.click()
    expect(gallery.lightbox.get_by_role("img")).not_to_have_attribute("src", small, timeout=_TIMEOUT)
    frames.add("Select a photo to enlarge it.")
    page.keyboard.press("Escape")

    # Hold the requests for the state of the album until the screenshot is taken. It could be too late otherwise.
    page.route("**/albums/*", lambda route: None)
    gallery.create_album("Summer 2026")
    gallery.albums.get_by_role("progressbar").wait_for()
    frames.add("AWS Batch creates the pages of an album in parallel …")
    page.unroute("**/albums/*")
    gallery.albums.get_by_role("link").wait_for()
    frames.add("… and combines them into a PDF.")

    first = gallery.served_by.inner_text().partition(",")[0]
    for _ in range(100):  # The load balancer alternates between the tasks.
        page.reload()
        expect(gallery.served_by).to_contain_text("ECS on ", timeout=_TIMEOUT)
        if first not in gallery.served_by.inner_text():
            break
    expect(gallery.served_by).not_to_contain_text(first)
    expect(gallery.thumbnails).to_have_count(len(_PHOTOS), timeout=_TIMEOUT)
    gallery.albums.get_by_role("link").wait_for()
    outline = "{ outline: '3px solid var(--main)', width: 'fit-content' }"
    gallery.served_by.evaluate(f"line => Object.assign(line.style, {outline})")
    frames.add("After a reload, another compute service serves the page.")
    frames.save(file)
    context.close()


def _upload(gallery: GalleryPage, frames: _Frames) -> None:
    """Drop photos and an invalid file on the page, and wait for the results."""
    page = gallery.page
    network = page.context.new_cdp_session(page)
    unlimited = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    with tempfile.TemporaryDirectory() as folder:
        invalid = Path(folder) / "holiday.jpg"
        invalid.write_text("This is not a photo.")
        drop = gallery.drag(*_PHOTOS, invalid)
    frames.add("Drop photos on the page.")
    drop()
    gallery.key_dialog.wait_for()
    frames.add("The first upload asks for the API key.")
    network.send("Network.emulateNetworkConditions", unlimited | {"uploadThroughput": _UPLOAD_SPEED})
    gallery.enter_key()
    expect(page.locator("#uploading")).not_to_contain_text("Uploading 1 of", timeout=_TIMEOUT)
    frames.add("Amazon API Gateway registers the photos, and the browser uploads them to Amazon S3.")
    network.send("Network.emulateNetworkConditions", unlimited)
    expect(gallery.thumbnails).to_have_count(len(_PHOTOS), timeout=_TIMEOUT)
    expect(gallery.cards.filter(has_text="holiday.jpg: ")).to_have_count(1, timeout=_TIMEOUT)
    frames.add("AWS Lambda creates the thumbnails, and rejects a file that is not an image.")


def main() -> None:
    """Record the animation. Exit with 1 and the reason when Chromium is missing or the sandbox fails."""
    argparse.ArgumentParser(prog="python -m tools.screenshot", description=__doc__).parse_args()
    try:
        record_animation()
    except SandboxError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
