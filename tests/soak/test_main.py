"""Exit status of `make soak`."""

import sys
from unittest.mock import MagicMock

import pytest

from local.errors import SandboxError
from tests.soak import __main__ as command
from tests.soak.report import SoakReport
from tests.soak.test_report import sufficient_report


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (sufficient_report(), None),
        (SoakReport(), "no killed processes"),
        (SandboxError("1 problem"), "(?s)1 problem.*SEED=abc"),
    ],
    ids=["success", "too few faults", "wrong result"],
)
def test_soak_fails_when_the_result_is_wrong_or_too_few_faults_occurred(
    monkeypatch: pytest.MonkeyPatch, result: SoakReport | SandboxError, message: str | None
) -> None:
    monkeypatch.setattr(command, "running_sandbox", MagicMock())
    monkeypatch.setattr(command, "soak", MagicMock(side_effect=[result]))
    monkeypatch.setattr(sys, "argv", ["soak", "--seed", "abc"])
    if message is None:
        command.main()
    else:
        with pytest.raises(SystemExit, match=message):
            command.main()
