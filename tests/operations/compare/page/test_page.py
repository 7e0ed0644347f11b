"""The page, its chart, and the report."""

import io
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from typing import get_args

import pytest
from rich.console import Console

from operations.cdk import Assembly
from operations.compare.costs.billed_time import OPTIONS
from operations.compare.costs.model import Model
from operations.compare.costs.sizes import sizes_of
from operations.compare.measurement import Comparison
from operations.compare.page.chart import draw
from operations.compare.page.content import sections
from operations.compare.page.markdown import CHART, PAGE, create_model, render_page
from operations.compare.page.section import LABELS, dollars
from operations.compare.page.terminal import print_report
from stacks.support.settings import ThumbnailsOn

_SVG = "{http://www.w3.org/2000/svg}"


def _tables(comparison: Comparison, model: Model) -> dict[str, list[list[str]]]:
    return {section.title: [list(row) for row in section.table] for section in sections(comparison, model)}


def test_page_and_chart_are_up_to_date(synthesize: Callable[..., Path]) -> None:
    templates = {value: Assembly(synthesize(thumbnails_on=value)).templates() for value in get_args(ThumbnailsOn)}
    comparison = Comparison.read()
    model = create_model(comparison, sizes_of(templates))
    assert PAGE.read_text() == render_page(comparison, model), "Run `python -m operations.compare.page`"
    assert CHART.read_text() == draw(model), "Run `python -m operations.compare.page`"


def test_tables_are_rectangular(comparison: Comparison, model: Model) -> None:
    for title, (heading, *rows) in _tables(comparison, model).items():
        assert rows, title
        assert {len(row) for row in rows} == {len(heading)}, title


def test_cost_table_shows_each_option_as_the_model_computes_it(comparison: Comparison, model: Model) -> None:
    _, *rows = _tables(comparison, model)["Dollars per month, without the free tier"]
    assert {row[0]: row[1] for row in rows} == {
        LABELS[option]: dollars(model.cost(option, 0, free_tier=False)) for option in OPTIONS
    }


def test_costs_above_the_maximum_are_marked(comparison: Comparison, model: Model) -> None:
    heading, *rows = _tables(comparison, model)["Dollars per month, without the free tier"]
    row = next(row for row in rows if row[0] == "lambda")
    # Five functions process 2.16 million photos of 0.2 s a day.
    marked = {number: "*" in cell for number, cell in zip(heading, row, strict=True)}
    assert (marked["1,000,000"], marked["10,000,000"]) == (False, True)


def test_every_pair_has_a_break_even_row(comparison: Comparison, model: Model) -> None:
    tables = _tables(comparison, model)
    pairs = {row[0] for title in ("Break-even points", "All other pairs") for row in tables[title][1:]}
    assert pairs == {f"{LABELS[a]} – {LABELS[b]}" for a, b in combinations(OPTIONS, 2)}


def test_sandbox_shows_no_times_and_an_account_does(comparison: Comparison, model: Model) -> None:
    timed = {
        option: replace(it, seconds_to_first=1.5, seconds_to_last=61.5)
        for option, it in comparison.measurements.items()
    }
    assert "61.5" not in render_page(replace(comparison, measurements=timed), model)
    assert "61.5" in render_page(replace(comparison, target="account", measurements=timed), model)


def test_report_contains_the_cells_of_the_page(comparison: Comparison, model: Model) -> None:
    output = io.StringIO()
    print_report(comparison, model, Console(file=output, width=400, color_system=None))
    report = output.getvalue()
    for title, table in _tables(comparison, model).items():
        assert title in report
        for cell in table[-1]:
            assert cell.replace("`", "").replace("**", "").replace("\\", "").split("…")[0] in report


@pytest.fixture
def chart(model: Model) -> ET.Element:
    """The chart of the model."""
    return ET.fromstring(draw(model))


def _labels(chart: ET.Element, text: str) -> list[tuple[float, float]]:
    return [(float(it.attrib["x"]), float(it.attrib["y"])) for it in chart.iter(f"{_SVG}text") if it.text == text]


def test_chart_has_a_label_for_each_line_and_labels_do_not_overlap(chart: ET.Element) -> None:
    names = ["lambda", "lambda-image", "fargate Spot", "ec2 On-Demand", "Batch nightly", "Lightsail"]
    positions = [position for name in names for position in _labels(chart, name)]
    assert len(positions) == len(names)
    heights = sorted(
        float(it.attrib["y"])
        for it in chart.iter(f"{_SVG}text")
        if float(it.attrib["x"]) >= positions[0][0] - 1
        if it.text != "maximum as deployed"
    )
    assert all(below - above >= 17 for above, below in pairwise(heights))


def test_chart_stays_inside_its_frame(chart: ET.Element) -> None:
    _, _, width, height = map(float, chart.attrib["viewBox"].split())
    for path in chart.iter(f"{_SVG}path"):
        if path.attrib["class"].startswith("line ") and "L" in path.attrib["d"]:
            for point in path.attrib["d"].lstrip("M").split("L"):
                x, y = map(float, point.split())
                assert 0 <= x <= width and 0 <= y <= height


def test_chart_tells_lines_apart_without_color_and_adapts_to_dark_mode(chart: ET.Element) -> None:
    style = chart.findtext(f"{_SVG}style") or ""
    assert "prefers-color-scheme: dark" in style
    dashes = [
        line.partition("stroke-dasharray:")[2] for line in style.splitlines() if line.startswith((".ec2", ".farg"))
    ]
    assert len(dashes) == 4 and len(set(dashes)) == 2  # On-Demand is dashed, Spot is not


def test_chart_marks_break_even_points_on_the_line_of_lambda(chart: ET.Element) -> None:
    (line,) = (it for it in chart.iter(f"{_SVG}path") if it.attrib["class"] == "line lambda" and "L" in it.attrib["d"])
    points = [complex(*map(float, point.split())) for point in line.attrib["d"].lstrip("M").split("L")]
    circles = [it.attrib for it in chart.iter(f"{_SVG}circle") if it.attrib["class"] == "dot"]
    marks = [complex(float(it["cx"]), float(it["cy"])) for it in circles[1:]]  # The first one is in the legend.
    assert marks
    for mark in marks:
        assert min(_distance(mark, start, end) for start, end in pairwise(points)) < 1


def _distance(point: complex, start: complex, end: complex) -> float:
    along = end - start
    share = ((point - start) * along.conjugate()).real / (abs(along) ** 2 or 1)
    return abs(start + along * min(1, max(0, share)) - point)
