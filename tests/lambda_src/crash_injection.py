"""A program killed at any of its calls to AWS: just before one, or just after, when AWS has done what was asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.client import BaseClient


class Crash(BaseException):
    """The end, with no chance to do anything about it: nothing in the code under test catches it."""


class CrashInjector:
    """Kills once, at a moment: 0 is before the first call, 1 after it, 2 before the second.

    moments: how many there have been so far
    """

    def __init__(self, moment: int | None) -> None:
        self._moment = moment
        self.moments = 0

    def passes(self) -> None:
        """One moment more. Raises Crash."""
        self.moments += 1
        if self.moments - 1 == self._moment:
            raise Crash


@contextmanager
def crash_at(monkeypatch: pytest.MonkeyPatch, moment: int | None) -> Iterator[CrashInjector]:
    """While the block runs, whatever calls AWS is killed at this moment; None only counts them."""
    killer = CrashInjector(moment)
    really_call = getattr(BaseClient, "_make_api_call")  # noqa: B009  # the type checker knows it not

    def call(client: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:
        killer.passes()
        answer = really_call(client, operation, arguments)
        killer.passes()
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", call)
        yield killer
