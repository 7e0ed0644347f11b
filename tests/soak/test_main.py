"""`make soak` fails when it finds an error, or when too few faults were injected to show anything."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import MagicMock

import pytest

from local.errors import SandboxError
from tests.soak import __main__ as command
from tests.soak.report import Happened
from tests.soak.test_report import ENOUGH


def _run(monkeypatch: pytest.MonkeyPatch, outcome: Happened | Exception, *arguments: str) -> None:
    @contextmanager
    def sandbox() -> Iterator[MagicMock]:
        yield MagicMock()

    def soak(*_: Any, **__: Any) -> Happened:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(command, "running_sandbox", sandbox)
    monkeypatch.setattr(command, "soak", soak)
    monkeypatch.setattr(sys, "argv", ["soak", *arguments])
    command.main()


def test_soak_prints_its_seed_and_what_happened(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(monkeypatch, ENOUGH, "--seed", "abc")
    printed = capsys.readouterr().out
    assert "Seed abc" in printed and ENOUGH.end in printed


@pytest.mark.parametrize(
    ("outcome", "message"),
    [(replace(ENOUGH, kills=0), "no function killed"), (SandboxError("one is lost"), "one is lost")],
    ids=["too few faults", "a photo is lost"],
)
def test_soak_fails(monkeypatch: pytest.MonkeyPatch, outcome: Happened | Exception, message: str) -> None:
    with pytest.raises(SystemExit, match=message):
        _run(monkeypatch, outcome)


def test_smaller_soak_passes_with_fewer_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    _run(monkeypatch, replace(ENOUGH, kills=0), "--photos", "10")
