"""`make soak` writes down what happened when it was the whole soak, and enough went wrong."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from local import proofs
from local.errors import SandboxError
from local.soak import __main__ as command
from local.soak.happened import Happened
from tests.local.soak.test_happened import ENOUGH

BEFORE = proofs.Proof("Nothing is lost", "before", 1, "x")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., list[proofs.Record]]:
    """Runs the command for a soak of which this came. Returns the records after it."""
    monkeypatch.setattr(proofs, "RECORDS", tmp_path)
    proofs.write("make soak", [BEFORE], tmp_path)

    @contextmanager
    def sandbox() -> Iterator[MagicMock]:
        yield MagicMock()

    def run(came: Happened | Exception, *arguments: str) -> list[proofs.Record]:
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
            found = proofs.read(tmp_path)
        return found

    return run


def test_the_whole_soak_is_written_down(run: Callable[..., list[proofs.Record]]) -> None:
    (record,) = run(ENOUGH, "--seed", "abc")
    assert record.by == "make soak"
    assert "seed abc" in record.proofs[0].tried


@pytest.mark.parametrize(
    "arguments", [("--photos", "999"), ("--clients", "15"), ("--share", "0.1"), ("--kill", "0.02")], ids=" ".join
)
def test_another_one_is_not(run: Callable[..., list[proofs.Record]], arguments: tuple[str, str]) -> None:
    (record,) = run(ENOUGH, *arguments)
    assert record.proofs == (BEFORE,)


@pytest.mark.parametrize(
    ("came", "told"),
    [(replace(ENOUGH, kills=0), "no function killed"), (SandboxError("one is lost"), "one is lost")],
    ids=["too little went wrong", "one is lost"],
)
def test_one_that_proved_nothing_leaves_nothing_written_down(
    run: Callable[..., list[proofs.Record]], came: Happened | Exception, told: str
) -> None:
    with pytest.raises(SystemExit, match=told):
        run(came)
    (record,) = proofs.read(proofs.RECORDS)
    assert record.proofs == ()
