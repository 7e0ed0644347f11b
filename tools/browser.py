"""Chromium without a window, for the tests of the gallery page and for its picture."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from local.errors import SandboxError

_NAMES = ("chromium", "chromium-browser", "google-chrome")
HOW_TO_GET_ONE = "no Chromium on this machine: apt-get install chromium"

# It shows pages of this machine only: it needs no walls around it, which containers refuse to build, and no network.
_ARGUMENTS = (
    "--no-sandbox",
    "--no-proxy-server",
    "--no-first-run",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def installed_browser() -> str | None:
    """The path of this machine's Chromium, if it has one."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Chromium, until the block ends. Raises SandboxError if this machine has none."""
    path = installed_browser()
    if path is None:
        raise SandboxError(HOW_TO_GET_ONE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        browser.close()
