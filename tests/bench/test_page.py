"""The page of thumbnails says what was measured, and its promises hold for the function as it is deployed."""

import copy
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from aws_cdk.assertions import Template

from bench.cost import NEEDED_MIB
from bench.page import MEMORY_SETTING, tables, with_tables
from photos.bombs import MAX_MEMORY
from photos.formats import FORMATS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "thumbnails.md").read_text()
RESULT = json.loads((ROOT / "bench" / "results" / "bench.json").read_text())


def test_the_page_has_the_tables_that_were_measured() -> None:
    assert with_tables(PAGE, RESULT) == PAGE


def test_a_page_without_a_mark_is_told() -> None:
    with pytest.raises(ValueError, match="lost the marks"):
        with_tables(PAGE.replace("<!-- memory end -->", ""), RESULT)


def test_every_target_is_met() -> None:
    assert "not met" not in tables(RESULT)["targets"]


def test_what_is_not_met_is_said() -> None:
    slow = copy.deepcopy(RESULT)
    slow["speed ms"]["JPEG"]["256"]["this project"] = 10 * slow["speed ms"]["JPEG"]["256"]["floor"]
    line = next(line for line in tables(slow)["targets"].splitlines() if "of the floor" in line)
    assert "| 10 " in line and "not met" in line


def test_every_format_was_measured_with_the_limits_it_has() -> None:
    measured = {(row["format"], row["limit in megapixels"]) for row in RESULT["memory"]}
    assert {(known.name, known.max_pixels / 1e6) for known in FORMATS} <= measured
    assert measured <= {(known.name, known.limit(mode) / 1e6) for known in FORMATS for mode in ("RGB", "RGBA")}


def test_no_photo_takes_more_memory_than_the_function_has(template: Callable[[str], Template]) -> None:
    functions = template("Thumbnails").find_resources("AWS::Lambda::Function").values()
    sizes = [f["Properties"]["MemorySize"] for f in functions if "ORIGINALS_BUCKET" in json.dumps(f)]
    assert sizes == [MEMORY_SETTING]
    largest = max(row["MiB at the limit"] for row in RESULT["memory"])
    assert largest < MAX_MEMORY / 2**20 < NEEDED_MIB < MEMORY_SETTING
