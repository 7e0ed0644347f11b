"""A function and the job of `make remake` process the same files in the sandbox; `make compare` runs every option."""

import pytest

from operations.compare.measurement import Measurement
from operations.compare.measuring.run import compare
from operations.compare.measuring.sandbox import SandboxTarget
from photos.limits import SIZES

_FILES = 4  # three photos and an empty file


@pytest.mark.slow
def test_options_make_the_same_thumbnails_and_are_measured() -> None:
    measured = compare(SandboxTarget({"name": "annas"}), _FILES, ("lambda",)).measurements
    assert list(measured) == ["lambda", "remake"]
    for option in measured.values():
        assert (option.ready, option.rejected, option.thumbnails) == (3, 1, 3 * len(SIZES))
        _check_measurement(option)
    # What only one of them calls: each is measured by its own role.
    only = {name: set(option.calls_per_photo or ()) for name, option in measured.items()}
    assert "sqs:ReceiveMessage" in only["lambda"] - only["remake"]
    assert "dynamodb:GetItem" in only["remake"] - only["lambda"]


def _check_measurement(option: Measurement) -> None:
    assert option.calls_per_photo and option.cpu_seconds_per_photo and option.peak_bytes
    # Each thumbnail is written once, and each original read at least once. Nothing of another role counts.
    assert option.calls_per_photo["s3:PutObject"] == 3 * len(SIZES) / _FILES
    assert option.calls_per_photo["s3:GetObject"] >= 1
    assert "s3:DeleteObject" not in option.calls_per_photo
    # One of the photos has 48 megapixels.
    assert 0.1 < option.cpu_seconds_per_photo < 60
    assert 50e6 < option.peak_bytes < 2e9
