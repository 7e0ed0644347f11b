"""Nothing is done to an account without a yes."""

import io

import pytest

from operations.confirm import confirm
from operations.errors import OperationError


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("answer", ["y\n", "Yes\n", " y \n"])
def test_a_yes(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr("sys.stdin", _Terminal(answer))
    confirm("Deploy?", yes=False)


@pytest.mark.parametrize("answer", ["\n", "n\n", "yesterday\n", ""])
def test_anything_else_is_a_no(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr("sys.stdin", _Terminal(answer))
    with pytest.raises(OperationError, match="Nothing was done"):
        confirm("Deploy?", yes=False)


def test_ctrl_c_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_question: str) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("sys.stdin", _Terminal())
    monkeypatch.setattr("builtins.input", interrupted)
    with pytest.raises(OperationError, match="Nothing was done"):
        confirm("Deploy?", yes=False)


def test_nobody_to_ask_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    with pytest.raises(OperationError, match="YES=1"):
        confirm("Deploy?", yes=False)


def test_a_yes_beforehand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    confirm("Deploy?", yes=True)
