"""The gallery page as people use it: in a browser, against the sandbox, from another origin than the API's."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from local.emulator import HOST
from local.sandbox import Sandbox
from tools.browser import running_browser
from tools.gallery_page import GalleryPage

# The machine may have more to do than this.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.fixture
def visit(browser: Browser, sandbox: Sandbox) -> Iterator[Callable[..., GalleryPage]]:
    """Opens the page in a browser of its own. By another name than the API's: for the browser it is another origin."""
    contexts: list[BrowserContext] = []

    def visit(**settings: Any) -> GalleryPage:
        contexts.append(browser.new_context(**settings))
        page = contexts[-1].new_page()
        page.set_default_timeout(60_000)
        gallery = GalleryPage(page, sandbox.outputs["Ecs"]["GalleryUrl"].replace(HOST, "localhost"), sandbox.api_key())
        gallery.open()
        return gallery

    yield visit
    for context in contexts:
        context.close()


@pytest.fixture
def gallery(visit: Callable[..., GalleryPage]) -> GalleryPage:
    return visit()


@pytest.fixture(autouse=True)
def each_begins_without_photos(delete_photos_afterwards: None) -> None:
    """And the last one leaves none."""


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    file = tmp_path / "holiday.jpg"
    file.write_bytes(b"This is not a photo.")
    return file
