"""Chromium is found under its usual names."""

import shutil

import pytest

from local.errors import SandboxError
from tools.browser import find_browser, running_browser


def test_missing_browser_is_an_error_with_a_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SandboxError, match="apt-get install chromium"), running_browser():
        pass


def test_chromium_is_preferred(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert find_browser() == "/usr/bin/chromium"
