"""The build cache: folders are complete, and readable by every user."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacks.support.build_cache import build_once


@pytest.fixture
def strict_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.usefixtures("strict_umask")
def test_build_once_makes_files_readable_by_all_users_with_any_umask(tmp_path: Path) -> None:
    def fill(work: Path) -> None:
        (work / "program").mkdir()
        (work / "program" / "main.py").write_text("1")

    built = build_once(tmp_path / "cache" / "package", fill)
    modes = {path.relative_to(built).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in built.rglob("*")}
    assert modes == {"program": 0o755, "program/main.py": 0o644}
    assert stat.S_IMODE(built.stat().st_mode) == 0o755


def test_build_once_does_not_fill_an_existing_folder(tmp_path: Path) -> None:
    build_once(tmp_path / "it", lambda work: None)

    def fill(_: Path) -> None:
        raise AssertionError("filled again")

    build_once(tmp_path / "it", fill)


def test_build_once_leaves_nothing_behind_when_filling_fails(tmp_path: Path) -> None:
    def fill(work: Path) -> None:
        (work / "half").write_text("")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        build_once(tmp_path / "it", fill)
    assert list(tmp_path.iterdir()) == []


def test_build_once_keeps_the_folder_of_a_process_that_was_faster(tmp_path: Path) -> None:
    folder = tmp_path / "it"

    def fill(work: Path) -> None:
        (work / "ours").write_text("")
        folder.mkdir()
        (folder / "theirs").write_text("")

    build_once(folder, fill)
    assert [path.name for path in folder.iterdir()] == ["theirs"]
