"""Work that is done apart comes back, fails and crashes without harm."""

import os
import signal

import pytest

from photos.apart import Crashed, apart
from photos.errors import Refused

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def crash() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def refuse() -> None:
    raise Refused("broken", "It is broken.")


def test_the_result_comes_from_another_process() -> None:
    assert apart(lambda: (os.getpid(), bytes(5_000_000))) != (os.getpid(), bytes(5_000_000))
    assert len(apart(lambda: bytes(5_000_000))) == 5_000_000


def test_what_it_raises_is_raised() -> None:
    with pytest.raises(Refused) as refusal:
        apart(refuse)
    assert (refusal.value.code, refusal.value.reason) == ("broken", "It is broken.")


def test_a_crash_is_an_exception() -> None:
    with pytest.raises(Crashed):
        apart(crash)


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="only Linux tells what a process holds open")
def test_nothing_of_it_is_left_open() -> None:
    before = os.listdir("/proc/self/fd")
    for _ in range(3):
        with pytest.raises(Crashed):
            apart(crash)
        apart(os.getpid)
    assert len(os.listdir("/proc/self/fd")) == len(before)
