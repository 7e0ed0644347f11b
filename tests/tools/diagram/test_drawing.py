"""The architecture diagram shows the templates and is legible."""

import re
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tools.diagram.__main__ import DIAGRAM
from tools.diagram.drawing import LETTER, LINE, draw
from tools.diagram.graph import Arrow, Graph, read_graph
from tools.diagram.layout import Area

_SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def graph(assembly: Path) -> Graph:
    return read_graph(assembly)


@pytest.fixture(scope="module")
def drawing(graph: Graph) -> str:
    return draw(graph)


@pytest.fixture(scope="module")
def svg(drawing: str) -> ElementTree.Element:
    return ElementTree.fromstring(drawing)


def _areas(svg: ElementTree.Element, style: str) -> list[Area]:
    return [
        Area(*(float(element.attrib[name]) for name in ("x", "y", "width", "height")))
        for element in svg.iter(f"{_SVG}rect")
        if element.attrib["class"] == style and "x" in element.attrib
    ]


def _texts(svg: ElementTree.Element) -> dict[Area, str]:
    found = {}
    for element in svg.iter(f"{_SVG}text"):
        style, text = element.attrib["class"].removesuffix(" halo"), element.text or ""
        x, y = float(element.attrib["x"]), float(element.attrib["y"])
        found[Area(x, y - LINE[style] * 0.8, LETTER[style] * len(text), LINE[style])] = text
    return found


def _lines(svg: ElementTree.Element) -> list[Area]:
    found = []
    for element in svg.iter(f"{_SVG}path"):
        if "line" in element.attrib["class"]:
            numbers = [float(number) for number in re.findall(r"[\d.]+", element.attrib["d"])]
            for (a, b), (c, d) in pairwise(zip(numbers[::2], numbers[1::2], strict=True)):
                found.append(Area(min(a, c), min(b, d), abs(c - a), abs(d - b)))
    return found


def test_diagram_is_up_to_date(drawing: str) -> None:
    assert DIAGRAM.read_text() == drawing, "Run: python -m tools.diagram"


def test_path_of_a_photo_is_in_the_graph(graph: Graph) -> None:
    for source, target in pairwise(("Originals", "Uploads", "Function", "Catalogue")):
        assert Arrow(f"Thumbnails/{source}", f"Thumbnails/{target}") in graph.arrows
    assert Arrow("Thumbnails/Function", "Thumbnails/Originals", reads=True) in graph.arrows
    assert Arrow("Batch/Page", "Thumbnails/Catalogue", reads=True) in graph.arrows


def test_boxes_texts_and_lines_do_not_overlap(svg: ElementTree.Element) -> None:
    boxes, texts, lines = _areas(svg, "box"), _texts(svg), _lines(svg)
    assert boxes and texts and lines
    for areas in (boxes, list(texts), _areas(svg, "panel")):
        assert [pair for pair in combinations(areas, 2) if pair[0].overlaps(pair[1])] == []
    labels = {area for area, text in texts.items() if any(box.overlaps(area) for box in boxes)}
    assert [texts[area] for area in labels if any(area.overlaps(line) for line in lines)] == []
    insides = [Area(box.x + 1, box.y + 1, box.width - 2, box.height - 2) for box in boxes]  # lines end at the edges
    assert [(inside, line) for inside in insides for line in lines if inside.overlaps(line)] == []


def test_texts_stay_in_their_boxes(svg: ElementTree.Element) -> None:
    boxes = _areas(svg, "box")
    for area, text in _texts(svg).items():
        for box in boxes:
            assert not box.overlaps(area) or area.x + area.width < box.x + box.width, text


def test_every_style_is_defined_for_light_and_dark(svg: ElementTree.Element) -> None:
    style = svg.findtext(f"{_SVG}style") or ""
    used = {name for element in svg.iter() for name in element.attrib.get("class", "").split()}
    assert used <= set(re.findall(r"\.([\w-]+) ", style))
    assert "prefers-color-scheme: dark" in style


def test_new_stack_is_drawn(graph: Graph) -> None:
    boxes = {name: box for name, box in graph.boxes.items() if name.startswith("Api/")}
    drawn = draw(Graph({**boxes, "Jobs/NewQueue": ("AWS::SQS::Queue", {})}, [], {"Api": [], "Jobs": ["Api"]}))
    assert {">Jobs<", ">New<", ">needs Api<"} <= set(re.findall(r">[\w ]+<", drawn))
