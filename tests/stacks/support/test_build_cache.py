"""Folders that are made once are whole, and readable for whoever runs what is in them."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacks.support.build_cache import made_once


@pytest.fixture
def strict_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.usefixtures("strict_umask")
def test_functions_and_containers_may_read_what_a_careful_person_made(tmp_path: Path) -> None:
    def fill(work: Path) -> None:
        (work / "program").mkdir()
        (work / "program" / "main.py").write_text("1")

    made = made_once(tmp_path / "cache" / "bundle", fill)
    modes = {path.relative_to(made).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in (made, *made.rglob("*"))}
    assert modes == {".": 0o755, "program": 0o755, "program/main.py": 0o644}


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    made_once(tmp_path / "it", lambda work: None)

    def again(_: Path) -> None:
        raise AssertionError("made again")

    made_once(tmp_path / "it", again)


def test_what_was_not_finished_is_not_there(tmp_path: Path) -> None:
    def fail(work: Path) -> None:
        (work / "half").write_text("")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        made_once(tmp_path / "it", fail)
    assert list(tmp_path.iterdir()) == []


def test_made_by_another_process_meanwhile(tmp_path: Path) -> None:
    folder = tmp_path / "it"

    def fill(work: Path) -> None:
        (work / "ours").write_text("")
        folder.mkdir()
        (folder / "theirs").write_text("")

    made_once(folder, fill)
    assert [path.name for path in folder.iterdir()] == ["theirs"]
