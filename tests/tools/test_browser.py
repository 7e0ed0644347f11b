"""Chromium is found under its usual names."""

import shutil

import pytest

from local.errors import SandboxError
from tools.browser import running_browser


def test_missing_browser_is_an_error_with_a_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SandboxError, match="apt-get install chromium"), running_browser():
        pass
