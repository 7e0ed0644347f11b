"""The page of thumbnails says what was measured, and its promises hold for the function as it is deployed."""

import copy
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from aws_cdk.assertions import Template

from photos.formats import FORMATS
from photos.input_limits import MAX_MEMORY
from tools.benchmark.cold_start import HANDLER
from tools.benchmark.cost import NEEDED_MIB
from tools.benchmark.page import MEMORY_SETTING, missed, tables, with_tables

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "thumbnails.md").read_text()
RESULT = json.loads((ROOT / "tools/benchmark" / "results" / "bench.json").read_text())


def test_the_page_has_the_tables_that_were_measured() -> None:
    assert with_tables(PAGE, RESULT) == PAGE


def test_other_pages_say_what_was_measured() -> None:
    notes, services = ((ROOT / "docs" / page).read_text() for page in ("notes.md", "services.md"))
    assert f"an import, about {RESULT['cold start ms'][HANDLER]:.0f} ms here" in notes
    (cost,) = [row for row in RESULT["cost"] if row["MB"] == MEMORY_SETTING]
    assert f"at 1,769 MB and {cost['ms']:.0f} ms each, are ${cost['$ a million']:.2f} before" in notes
    free = 400_000 / (MEMORY_SETTING / 1024) / (cost["ms"] / 1000)
    assert f"{free / 1e6:.2f} million of those photos" in notes
    ratios = {
        (kind, sizes): times[sizes]["this project"] / times[sizes]["floor"]
        for kind, times in RESULT["speed ms"].items()
        for sizes in times
    }
    one, other = "JPEG", "progressive JPEG"
    assert f"in {ratios[one, '256']:.2f} times what its decoder alone takes" in services
    assert f"a progressive one in {ratios[other, '256']:.2f} times" in services
    assert f"in {ratios[one, 'both']:.1f} and {ratios[other, 'both']:.1f} times" in services


def test_a_page_without_a_mark_is_told() -> None:
    with pytest.raises(ValueError, match="lost the marks"):
        with_tables(PAGE.replace("<!-- memory end -->", ""), RESULT)


def test_every_target_is_met() -> None:
    assert not missed(RESULT)


def test_what_is_not_met_is_said() -> None:
    slow = copy.deepcopy(RESULT)
    slow["speed ms"]["JPEG"]["256"]["this project"] = 10 * slow["speed ms"]["JPEG"]["256"]["floor"]
    line = next(line for line in tables(slow)["targets"].splitlines() if "of the floor" in line)
    assert "| 10 " in line and "not met" in line
    assert "baseline JPEG, 256 px, of the floor 10, ≤ 1.40" in missed(slow)


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
