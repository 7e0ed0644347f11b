"""Chromium is found under its usual names and where Playwright installs it."""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from local.errors import SandboxError
from tools.browser import find_browser, running_browser

pytestmark = pytest.mark.slow  # starts a browser


@pytest.fixture
def only_playwright(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Hide installed browsers. Returns where Playwright's installer would put Chromium."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


def test_chromium_of_playwright_starts(request: pytest.FixtureRequest) -> None:
    if (installed := find_browser()) is None:
        pytest.skip("Chromium is not installed")
    path: Path = request.getfixturevalue("only_playwright")
    path.parent.mkdir(parents=True)
    path.symlink_to(Path(installed).resolve())
    with running_browser() as browser:
        assert browser.is_connected()
    assert find_browser() == str(path)


@pytest.mark.usefixtures("only_playwright")
def test_missing_browser_is_an_error_with_a_fix() -> None:
    with pytest.raises(SandboxError, match=r"apt-get install chromium.*playwright install chromium"), running_browser():
        pass
