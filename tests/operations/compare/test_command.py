"""The command `make compare`: invalid arguments, and a comparison that fails or is interrupted."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from operations.__main__ import main
from operations.compare import command
from operations.compare.measurement import Comparison
from operations.errors import OperationError

_COMPARISON = Comparison(date="2026-11-28", target="sandbox", machine="", files={}, bytes_per_photo=0)


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[Any]]:
    """What the command printed and wrote. The comparison itself is stubbed, and so is its model."""
    reported: list[Any] = []
    monkeypatch.delenv("E2E_TARGET", raising=False)
    monkeypatch.setattr(command, "create_model", lambda comparison: "model")
    monkeypatch.setattr(command, "compare", lambda target, count: _COMPARISON)
    monkeypatch.setattr(command, "print_report", lambda *arguments: reported.append(("report", *arguments)))
    monkeypatch.setattr(command, "write_page", lambda *arguments: reported.append(("page", *arguments)))
    monkeypatch.setattr(Comparison, "write", lambda self: reported.append(("results", self)))
    handlers = {it: signal.getsignal(it) for it in (signal.SIGTERM, signal.SIGHUP)}
    yield reported
    for it, handler in handlers.items():
        signal.signal(it, handler)


def _run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr("sys.argv", ["operations", *arguments])
    main()


def test_comparison_is_printed_and_written(results: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    _run(monkeypatch, "compare")
    assert results == [("results", _COMPARISON), ("report", _COMPARISON, "model"), ("page", _COMPARISON, "model")]


@pytest.mark.parametrize(
    ("arguments", "target", "message"),
    [
        (["compare", "--photos", "0"], "local", "PHOTOS: expected a whole number from 1 to 1000, but received '0'."),
        (["compare", "--photos", "abc"], "local", "PHOTOS: .* 'abc'"),
        (["compare", "--photos", "1001"], "local", "PHOTOS: .* '1001'"),
        (["compare", "--photos="], "local", "PHOTOS: .* ''"),
        (["-c", "thumbnails_on=ec2", "compare"], "local", "Setting thumbnails_on: .* Omit"),
        (["-c", "allowed_cidr=203.0.113.7/32", "compare"], "local", "Setting allowed_cidr: .* does not contain"),
        (["compare"], "azure", "E2E_TARGET: expected 'aws' .* 'azure'"),
    ],
)
def test_invalid_argument_fails_in_one_line(
    results: list[Any], monkeypatch: pytest.MonkeyPatch, arguments: list[str], target: str, message: str
) -> None:
    monkeypatch.setenv("E2E_TARGET", target)
    with pytest.raises(SystemExit, match=f"^{message}") as ended:
        _run(monkeypatch, *arguments)
    assert "\n" not in str(ended.value.code)
    assert results == []


@pytest.mark.parametrize("error", [OperationError("ec2: photo a differs."), KeyboardInterrupt()])
def test_failed_or_interrupted_comparison_writes_nothing(
    results: list[Any], monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(target: object, count: int) -> Comparison:
        raise error

    monkeypatch.setattr(command, "compare", fail)
    with pytest.raises(SystemExit, match=str(error) or "No deployment of the comparison remains"):
        _run(monkeypatch, "compare")
    assert results == []


def test_signal_that_ends_the_command_removes_the_deployment(
    results: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    removed = []

    def receive_signal(target: object, count: int) -> Comparison:
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            removed.append(True)
        return _COMPARISON

    monkeypatch.setattr(command, "compare", receive_signal)
    with pytest.raises(SystemExit, match="Stopped"):
        _run(monkeypatch, "compare")
    assert (removed, results) == ([True], [])
