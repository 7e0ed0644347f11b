"""Crash injection: stops a program at any of its calls to AWS, either just before the call or just after it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.client import BaseClient


class Crash(BaseException):
    """The injected crash. The code under test cannot catch it."""


def crash() -> None:
    """Stop the program like SIGKILL."""
    raise Crash


class CrashInjector:
    """Stops the program once, at one point: 0 is before the first call, 1 after it, 2 before the second.

    After a crash, all threads that ran at this time crash at their next point, apart from the main thread.

    Attributes:
        points: Number of points passed so far.
    """

    def __init__(self, point: int | None, stop: Callable[[], None]) -> None:
        self._point = point
        self._stop = stop
        self._crashed: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self.points = 0

    def check(self) -> None:
        """Pass one point. Stops the program at the chosen one."""
        with self._lock:
            if threading.current_thread() in self._crashed:
                raise Crash
            is_chosen = self.points == self._point
            self.points += 1
            if is_chosen and self._stop is crash:
                self._crashed = set(threading.enumerate()) - {threading.main_thread()}
        if is_chosen:  # without the lock, because the function can make calls of its own
            self._stop()


@contextmanager
def crash_at(
    monkeypatch: pytest.MonkeyPatch, point: int | None, stop: Callable[[], None] = crash
) -> Iterator[CrashInjector]:
    """Stop the program at this point of the calls that the block makes to AWS. None only counts the points."""
    injector = CrashInjector(point, stop)
    make_api_call = getattr(BaseClient, "_make_api_call")  # noqa: B009  # not in botocore's types

    def call(client: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:
        injector.check()
        response = make_api_call(client, operation, arguments)
        injector.check()
        return response

    with monkeypatch.context() as patch:
        patch.setattr(BaseClient, "_make_api_call", call)
        yield injector
