"""Headless Chromium, for the tests of the gallery page and its animation."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from local.errors import SandboxError

# Program names on Linux, and the applications of macOS.
_NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
INSTALL_HINT = "Chromium is not installed: run `apt-get install chromium`, or `playwright install chromium`"

# Chromium loads only local pages, so it needs no network and no sandbox, which does not start in a container.
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


def find_browser() -> str | None:
    """Return the path of an installed Chromium, if necessary of the one from Playwright's installer, or None."""
    if path := next((path for name in _NAMES if (path := shutil.which(name))), None):
        return path
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path  # where the installer puts the version that Playwright controls
    return path if Path(path).exists() else None


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Start Chromium, and stop it when the block ends. Raises SandboxError if it is not installed."""
    path = find_browser()
    if path is None:
        raise SandboxError(INSTALL_HINT)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield browser
        browser.close()
