"""`make soak` writes down what happened when it was the whole soak, and enough went wrong."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from local.errors import SandboxError
from tests.soak import __main__ as command
from tests.soak.report import Happened
from tests.soak.test_report import ENOUGH
from tools import guarantees

BEFORE = guarantees.Proof("Nothing is lost", "before", 1, "x")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., list[guarantees.Record]]:
    """Runs the command for a soak of which this came. Returns the records after it."""
    monkeypatch.setattr(guarantees, "RECORDS", tmp_path)
    guarantees.write("make soak", [BEFORE], tmp_path)

    @contextmanager
    def sandbox() -> Iterator[MagicMock]:
        yield MagicMock()

    def run(came: Happened | Exception, *arguments: str) -> list[guarantees.Record]:
        def soak(*_: Any, **__: Any) -> Happened:
            if isinstance(came, Exception):
                raise came
            return came

        monkeypatch.setattr(command, "running_sandbox", sandbox)
        monkeypatch.setattr(command, "soak", soak)
        monkeypatch.setattr(sys, "argv", ["soak", *arguments])
        try:
            command.main()
        finally:
            found = guarantees.read(tmp_path)
        return found

    return run


def test_the_whole_soak_is_written_down(run: Callable[..., list[guarantees.Record]]) -> None:
    (record,) = run(ENOUGH, "--seed", "abc")
    assert record.by == "make soak"
    assert "seed abc" in record.proofs[0].tried


@pytest.mark.parametrize(
    "arguments", [("--photos", "999"), ("--clients", "15"), ("--share", "0.1"), ("--kill", "0.02")], ids=" ".join
)
def test_another_one_is_not(run: Callable[..., list[guarantees.Record]], arguments: tuple[str, str]) -> None:
    (record,) = run(ENOUGH, *arguments)
    assert record.proofs == (BEFORE,)


@pytest.mark.parametrize(
    ("came", "told"),
    [(replace(ENOUGH, kills=0), "no function killed"), (SandboxError("one is lost"), "one is lost")],
    ids=["too little went wrong", "one is lost"],
)
def test_one_that_proved_nothing_leaves_nothing_written_down(
    run: Callable[..., list[guarantees.Record]], came: Happened | Exception, told: str
) -> None:
    with pytest.raises(SystemExit, match=told):
        run(came)
    (record,) = guarantees.read(guarantees.RECORDS)
    assert record.proofs == ()
