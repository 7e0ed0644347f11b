"""An emulator for the tests of a file."""

from collections.abc import Iterator

import pytest

from local.emulator import Emulator, running_emulator


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with running_emulator() as emulator:
        yield emulator
