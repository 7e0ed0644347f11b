"""Work that is done run_in_subprocess comes back, fails, crashes and hangs without harm."""

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


def hang() -> None:
    while True:
        sleep(0.01)


def toil() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])  # so that only processor time can end it
    while True:
        pass


def refuse() -> None:
    raise PhotoRejected("broken", "It is broken.")


def test_the_result_comes_from_another_process() -> None:
    assert run_in_subprocess(lambda: (os.getpid(), bytes(5_000_000)), seconds=5) != (os.getpid(), bytes(5_000_000))
    assert len(run_in_subprocess(lambda: bytes(5_000_000), seconds=5)) == 5_000_000


def test_what_it_raises_is_raised() -> None:
    with pytest.raises(PhotoRejected) as refusal:
        run_in_subprocess(refuse, seconds=5)
    assert (refusal.value.code, refusal.value.reason) == ("broken", "It is broken.")


def test_a_crash_is_an_exception() -> None:
    with pytest.raises(SubprocessCrashed):
        run_in_subprocess(crash, seconds=5)


@pytest.mark.parametrize("work", [hang, toil])
def test_what_takes_too_long_is_ended(work: Callable[[], None]) -> None:
    with pytest.raises(TimeoutError):
        run_in_subprocess(work, seconds=0.1)


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="only Linux tells what a process holds open")
def test_nothing_of_it_is_left_open() -> None:
    before = os.listdir("/proc/self/fd")
    for _ in range(3):
        with pytest.raises(SubprocessCrashed):
            run_in_subprocess(crash, seconds=5)
        run_in_subprocess(os.getpid, seconds=5)
    assert len(os.listdir("/proc/self/fd")) == len(before)
