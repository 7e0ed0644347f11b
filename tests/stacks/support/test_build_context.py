"""Build contexts of the container images."""

from pathlib import Path

import pytest

from stacks.support import build_context as module
from stacks.support.build_context import build_context


def _names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_album_context_contains_its_program_and_the_domain_package() -> None:
    names = _names(build_context("album"))
    assert {"Dockerfile", "requirements.txt", "album/__main__.py", "photos/albums.py"} <= names
    assert not [name for name in names if "__pycache__" in name]


def test_gallery_context_contains_its_own_folder_only() -> None:
    names = _names(build_context("gallery"))
    assert "Dockerfile" in names
    assert not [name for name in names if name.startswith("photos/")]


def test_context_has_a_new_path_only_after_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONTAINERS", tmp_path / "containers")
    monkeypatch.setattr(module, "CACHE", tmp_path / "cache")
    program = tmp_path / "containers" / "web" / "web.py"
    program.parent.mkdir(parents=True)
    program.write_text("1")
    base = tmp_path / "containers" / "base.Dockerfile"
    base.write_text("FROM python:3.13")
    first = build_context("web")
    assert build_context("web") == first
    program.write_text("2")
    second = build_context("web")
    assert second != first
    assert ((first / "web.py").read_text(), (second / "web.py").read_text()) == ("1", "2")
    base.write_text("FROM python:3.13@sha256:1")
    assert build_context("web") != second
    program.rename(program.with_name("other.py"))
    assert build_context("web") != second
