"""The file of assumptions, which users edit."""

import re
from pathlib import Path

import pytest

from operations.compare.costs.assumptions import FILE, Assumptions, assumption_rows, read_assumptions
from operations.errors import OperationError


def test_project_file_is_valid_and_explains_each_value() -> None:
    assert isinstance(read_assumptions(), Assumptions)
    assert all(name and value and why.endswith(".") for name, value, why in assumption_rows())


@pytest.mark.parametrize(
    ("pattern", "replacement", "reason"),
    [
        (
            r"\[batch_fill\]\nvalue = \S+",
            "[batch_fill]\nvalue = 1.5",
            "[batch_fill] must be a number above 0, at most 1",
        ),
        (r"\[image_gb\]\nvalue = \S+", '[image_gb]\nvalue = "fast"', "[image_gb] must be a number from 0"),
        (r"\[image_gb\]\nvalue = \S+", "[image_gb]\nvalue = -1", "but it is -1"),
        (r"\[bursts_per_day\]\nvalue = \S+", "[bursts_per_day]\nvalue = 0", "above 0"),
        (r"small_3_0 = 20", "small_3_0 = 0", "[lightsail_baseline_percent]"),
        (r"\[image_gb\]", "[image_size]", "[image_gb] is missing"),
        (r"\Z", "\n[color]\nvalue = 1\n", "unknown [color]; allowed: bursts_per_day"),
        (r'unit = "GB"\n', "", "[image_gb] needs value, unit, and why"),
        (r"\Z", "\nvalue =", "not valid TOML"),
    ],
)
def test_invalid_assumption_is_one_line_that_names_it(
    tmp_path: Path, pattern: str, replacement: str, reason: str
) -> None:
    file = tmp_path / "assumptions.toml"
    file.write_text(re.sub(pattern, replacement, FILE.read_text(), count=1))
    with pytest.raises(OperationError) as error:
        read_assumptions(file)
    assert reason in str(error.value)
    assert "\n" not in str(error.value)
