"""Finding a browser, and saying how to get one."""

import shutil

import pytest

from local.errors import SandboxError
from tools.browser import installed_browser, running_browser


def test_a_machine_without_one_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(SandboxError, match="apt-get install chromium"), running_browser():
        pass


def test_debians_is_preferred(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert installed_browser() == "/usr/bin/chromium"
