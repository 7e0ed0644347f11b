"""The synthesized templates for each compute that makes thumbnails."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from stacks.support.settings import ThumbnailsOn


@pytest.fixture(scope="session", params=get_args(ThumbnailsOn))
def each_assembly(request: pytest.FixtureRequest, synthesize: Callable[..., Path]) -> Path:
    """The folder with the templates of all stacks, for one value of `thumbnails_on` after the other."""
    return synthesize(thumbnails_on=request.param)
