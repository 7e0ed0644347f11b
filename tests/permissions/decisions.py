"""What the sandbox decided about roles, read from what it writes down."""

import json
from dataclasses import dataclass
from typing import Any

from ministack.core.iam_evaluator import EvalContext, _first_match, parse_policy_document

from local.emulator import Emulator


@dataclass(frozen=True)
class Decision:
    """Whether a role was allowed something. asked: all of the request that policies can speak of"""

    asked: EvalContext
    allowed: bool

    @property
    def role(self) -> str:
        """The name of the role."""
        name: str = self.asked.principal_arn.split("/")[1]
        return name

    def is_by(self, statement: dict[str, Any]) -> bool:
        """Whether this statement would allow it, its conditions included, as the emulator itself compares them."""
        return _first_match(self.asked, parse_policy_document({"Statement": [statement]}), "Allow") is not None

    def __str__(self) -> str:
        return f"{self.role}: {self.asked.action} on {self.asked.resource_arn}"


class Decisions:
    """Those made while this is open, in their order."""

    def __init__(self, emulator: Emulator) -> None:
        self._file = emulator.folder / "authorization.jsonl"

    def __enter__(self) -> "Decisions":
        self._file.touch()
        self._read = 0
        return self

    def __exit__(self, *_: object) -> None:
        self._file.unlink()

    def new(self) -> list[Decision]:
        """Those made since this was asked the last time."""
        with self._file.open("rb") as lines:
            lines.seek(self._read)
            written = lines.read()
        whole = written[: written.rfind(b"\n") + 1]
        self._read += len(whole)
        found = map(json.loads, whole.splitlines())
        return [Decision(EvalContext(**decision["request"]), decision["allowed"]) for decision in found]
