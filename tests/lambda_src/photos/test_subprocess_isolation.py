"""Work in a subprocess returns, fails, crashes, or hangs without harm to its caller."""

import os
import signal
from collections.abc import Callable
from time import sleep

import pytest

from photos.errors import PhotoRejected
from photos.subprocess_isolation import SubprocessCrashed, run_in_subprocess

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def crash() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def sleep_forever() -> None:
    while True:
        sleep(0.01)


def compute_forever() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])  # so that only the limit of CPU time can end it
    while True:
        pass


def reject() -> None:
    raise PhotoRejected("broken", "It is broken.")


def test_result_is_returned_from_another_process() -> None:
    process, data = run_in_subprocess(lambda: (os.getpid(), bytes(5_000_000)), seconds=5)
    assert process != os.getpid()
    assert data == bytes(5_000_000)


def test_exception_is_raised_in_the_caller() -> None:
    with pytest.raises(PhotoRejected) as rejected:
        run_in_subprocess(reject, seconds=5)
    assert (rejected.value.code, rejected.value.reason) == ("broken", "It is broken.")


@pytest.mark.parametrize("work", [sleep_forever, compute_forever])
def test_work_over_the_time_limit_is_stopped(work: Callable[[], None]) -> None:
    with pytest.raises(TimeoutError):
        run_in_subprocess(work, seconds=0.1)


def test_crash_raises_an_exception_and_leaks_no_file_descriptors() -> None:
    before = os.listdir("/dev/fd")
    for _ in range(3):
        with pytest.raises(SubprocessCrashed):
            run_in_subprocess(crash, seconds=5)
        run_in_subprocess(os.getpid, seconds=5)
    assert len(os.listdir("/dev/fd")) == len(before)
