"""The synthesized templates for each compute that makes thumbnails, and of a deployment that expires."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from stacks.support.settings import ThumbnailsOn

EXPIRES_AT = "2026-11-28T20:00:00Z"


@pytest.fixture(scope="session", params=[*get_args(ThumbnailsOn), "lambda that expires"])
def each_assembly(request: pytest.FixtureRequest, synthesize: Callable[..., Path]) -> Path:
    """The folder with the templates of all stacks, for one value of `thumbnails_on` after the other."""
    if request.param == "lambda that expires":
        return synthesize(thumbnails_on="lambda", expires_at=EXPIRES_AT)
    return synthesize(thumbnails_on=request.param)
