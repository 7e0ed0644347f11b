"""The gallery page in a browser. For the browser, the API has another origin than the page."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from local.ports import HOST
from local.sandbox import Sandbox
from tools.browser import INSTALL_HINT, find_browser, running_browser
from tools.gallery_page import GalleryPage

# Generous, because other tests run at the same time.
expect.set_options(timeout=60_000)


@pytest.fixture(scope="module")  # a second browser in a process needs the end of the first
def browser() -> Iterator[Browser]:
    if find_browser() is None:
        pytest.skip(INSTALL_HINT)
    with running_browser() as browser:
        yield browser


@pytest.fixture
def visit(browser: Browser, sandbox: Sandbox) -> Iterator[Callable[..., GalleryPage]]:
    """Return a function that opens the page, of ECS or at a URL, in a new browser context with the given settings."""
    contexts: list[BrowserContext] = []

    def visit(url: str | None = None, **settings: Any) -> GalleryPage:
        contexts.append(browser.new_context(**settings))
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        url = url or sandbox.outputs["Ecs"]["GalleryUrl"].replace(HOST, "localhost")
        gallery = GalleryPage(page, url, sandbox.api_key())
        gallery.open()
        return gallery

    yield visit
    for context in contexts:
        context.close()


@pytest.fixture
def gallery(visit: Callable[..., GalleryPage]) -> GalleryPage:
    return visit()


@pytest.fixture(autouse=True)
def empty_gallery(delete_photos_afterwards: None) -> None:
    """Every test starts without photos."""


@pytest.fixture
def corrupt_photo(tmp_path: Path) -> Path:
    file = tmp_path / "holiday.jpg"
    file.write_bytes(b"This is not a photo.")
    return file
