"""Authorization decisions of the sandbox, read from the log that `local/extension/authorization_log.py` writes."""

import json
from dataclasses import dataclass
from typing import Any

from ministack.core.iam_evaluator import EvalContext, _first_match, parse_policy_document

from local.emulator import Emulator


@dataclass(frozen=True)
class Decision:
    """The result of one request that a role made.

    Attributes:
        request: Everything about the request that a policy can refer to.
        allowed: Whether IAM allowed it.
    """

    request: EvalContext
    allowed: bool

    @property
    def role(self) -> str:
        """The name of the role."""
        name: str = self.request.principal_arn.split("/")[1]
        return name

    def matches(self, statement: dict[str, Any]) -> bool:
        """Whether an Allow statement covers the request, conditions included, by the emulator's own evaluation."""
        return _first_match(self.request, parse_policy_document({"Statement": [statement]}), "Allow") is not None

    def __str__(self) -> str:
        return f"{self.role}: {self.request.action} on {self.request.resource_arn}"


class AuthorizationLog:
    """The decisions made while this context manager is active, in order."""

    def __init__(self, emulator: Emulator) -> None:
        self._file = emulator.folder / "authorization.jsonl"

    def __enter__(self) -> "AuthorizationLog":
        self._file.touch()
        self._offset = 0
        return self

    def __exit__(self, *_: object) -> None:
        self._file.unlink()

    def read_new(self) -> list[Decision]:
        """Return the decisions since the last call. A line that is still being written is left for the next call."""
        with self._file.open("rb") as file:
            file.seek(self._offset)
            content = file.read()
        complete = content[: content.rfind(b"\n") + 1]
        self._offset += len(complete)
        entries = map(json.loads, complete.splitlines())
        return [Decision(EvalContext(**entry["request"]), entry["allowed"]) for entry in entries]
