"""Confirmation before a command changes an account."""

import io

import pytest

from operations.confirm import NotConfirmedError, confirm
from operations.errors import OperationError


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("answer", ["y\n", "Yes\n", " y \n"])
def test_confirm_accepts_yes(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr("sys.stdin", _Terminal(answer))
    confirm("Deploy?", yes=False)


@pytest.mark.parametrize("answer", ["\n", "n\n", "yesterday\n", ""])
def test_confirm_rejects_any_other_answer(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr("sys.stdin", _Terminal(answer))
    with pytest.raises(NotConfirmedError, match="Nothing was changed"):
        confirm("Deploy?", yes=False)


def test_confirm_rejects_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.stdin", _Terminal())
    monkeypatch.setattr("builtins.input", interrupt)
    with pytest.raises(NotConfirmedError, match="Nothing was changed"):
        confirm("Deploy?", yes=False)


def test_confirm_fails_without_a_terminal_unless_yes_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    with pytest.raises(OperationError, match="Not a terminal: pass --yes"):
        confirm("Deploy?", yes=False)
    confirm("Deploy?", yes=True)
