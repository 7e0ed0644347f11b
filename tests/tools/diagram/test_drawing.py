"""The picture of the architecture: what the templates say, and legible."""

import re
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tools.diagram.__main__ import PICTURE
from tools.diagram.drawing import Unplaced, draw
from tools.diagram.graph import Graph, read_graph
from tools.diagram.grid import BOX_WIDTH, Grid
from tools.diagram.places import PLACES
from tools.diagram.routes import Routes

# Left, top, right, bottom.
Area = tuple[float, float, float, float]

# Units of the SVG for each letter, in the widest of the fonts it may be shown in.
_LETTER = {"stack": 9, "label": 7.4, "small": 5.7}
_HEIGHT = {"stack": 13, "label": 12, "small": 10}


@pytest.fixture(scope="module")
def graph(assembly: Path) -> Graph:
    return read_graph(assembly)


@pytest.fixture(scope="module")
def segments(graph: Graph) -> list[tuple[str, str, Area]]:
    """Each straight piece of each arrow: where it comes from, where it leads, and its ends."""
    grid = Grid({name: PLACES[name] for name in graph.boxes})
    return [
        (arrow.source, arrow.target, (min(a.x, b.x), min(a.y, b.y), max(a.x, b.x), max(a.y, b.y)))
        for arrow, way in Routes(grid, graph.arrows).ways().items()
        for a, b in pairwise(way)
    ]


@pytest.fixture(scope="module")
def texts(graph: Graph) -> list[tuple[str, Area]]:
    """Each text, and about where it is."""
    found = []
    for element in ElementTree.fromstring(draw(graph)).iter("{http://www.w3.org/2000/svg}text"):
        style, text = element.attrib["class"], element.text or ""
        x, y = float(element.attrib["x"]), float(element.attrib["y"])
        if text:
            found.append((text, (x, y - _HEIGHT[style] * 0.8, x + _LETTER[style] * len(text), y + 2)))
    return found


def _overlap(first: Area, second: Area) -> bool:
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]


def test_the_picture_shows_the_templates(graph: Graph) -> None:
    assert PICTURE.read_text() == draw(graph), "Run: python -m tools.diagram"


def test_no_line_runs_behind_a_box(graph: Graph, segments: list[tuple[str, str, Area]]) -> None:
    grid = Grid({name: PLACES[name] for name in graph.boxes})
    boxes = {
        name: (grid.left(name), grid.edge(name, False), grid.left(name) + BOX_WIDTH, grid.edge(name, True))
        for name in graph.boxes
    }
    assert [
        (source, target, box)
        for source, target, segment in segments
        for box, area in boxes.items()
        if area[0] < segment[2] and segment[0] < area[2] and area[1] < segment[3] and segment[1] < area[3]
    ] == []
    assert [pair for pair in combinations(boxes.values(), 2) if _overlap(*pair)] == []


def test_lines_of_different_boxes_never_lie_on_one_another(segments: list[tuple[str, str, Area]]) -> None:
    for axis, along in ((0, 1), (1, 0)):
        lines = [each for each in segments if each[2][axis] == each[2][axis + 2]]
        assert [
            (first[:2], second[:2])
            for first, second in combinations(lines, 2)
            if first[0] != second[0]
            and abs(first[2][axis] - second[2][axis]) < 4
            and first[2][along] < second[2][along + 2]
            and second[2][along] < first[2][along + 2]
        ] == []


def test_no_line_runs_through_a_text_and_no_text_leaves_its_box(
    graph: Graph, texts: list[tuple[str, Area]], segments: list[tuple[str, str, Area]]
) -> None:
    assert [
        (text, source, target)
        for text, area in texts
        for source, target, (left, top, right, bottom) in segments
        if _overlap(area, (left - 0.1, top - 0.1, right + 0.1, bottom + 0.1))
    ] == []
    assert [pair for pair in combinations(texts, 2) if _overlap(pair[0][1], pair[1][1])] == []
    grid = Grid({name: PLACES[name] for name in graph.boxes})
    lefts = {grid.left(name) for name in graph.boxes}  # of boxes; their texts begin 29 further right
    assert [text for text, area in texts for left in lefts if area[0] == left + 29 and area[2] > left + BOX_WIDTH] == []


def test_it_is_readable_in_light_and_in_dark(graph: Graph) -> None:
    svg = draw(graph)
    assert "prefers-color-scheme: dark" in svg
    styled = set(re.findall(r"\.([\w-]+) ", svg.partition("</style>")[0]))
    used = {name for names in re.findall(r'class="([^"]+)"', svg) for name in names.split()}
    assert used <= styled


def test_a_place_without_a_resource_is_told(graph: Graph) -> None:
    with pytest.raises(Unplaced, match=r"Cron/Nightly: not there any more, or of a type without a sign"):
        draw(
            Graph({name: box for name, box in graph.boxes.items() if name != "Cron/Nightly"}, graph.arrows, graph.needs)
        )


def test_a_resource_without_a_place_is_told(graph: Graph) -> None:
    with pytest.raises(Unplaced, match=r"No place in the picture for Jobs/New: .*places\.py"):
        draw(Graph({**graph.boxes, "Jobs/New": ("AWS::S3::Bucket", {})}, graph.arrows, graph.needs))
