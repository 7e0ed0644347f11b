"""What images are built from."""

from pathlib import Path

import pytest

from stacks.support import build_context as module
from stacks.support.build_context import image_source


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_album_has_its_program_and_the_domain() -> None:
    found = names(image_source("album"))
    assert {"Dockerfile", "requirements.txt", "album/__main__.py", "photos/albums.py"} <= found
    assert not [name for name in found if "__pycache__" in name]


def test_the_gallery_has_only_its_own() -> None:
    assert "Dockerfile" in names(image_source("gallery"))
    assert not [name for name in names(image_source("gallery")) if name.startswith("photos/")]


def test_only_a_change_makes_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONTAINERS", tmp_path / "containers")
    monkeypatch.setattr(module, "CACHE", tmp_path / "cache")
    program = tmp_path / "containers" / "web" / "web.py"
    program.parent.mkdir(parents=True)
    program.write_text("1")
    first = image_source("web")
    assert image_source("web") == first
    program.write_text("2")
    second = image_source("web")
    assert second != first
    assert ((first / "web.py").read_text(), (second / "web.py").read_text()) == ("1", "2")
    program.rename(program.with_name("other.py"))
    assert image_source("web") != second
