"""Positions of boxes and routes of arrows, computed by the Eclipse Layout Kernel (https://eclipse.dev/elk).

Stacks that arrows connect form one hierarchical graph that flows from top to bottom. The other stacks and the legend
form a column to its right.
"""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.diagram.graph import Graph, stack_of

HEAD, FOOT = 34, 24  # room in a panel for its title, and for the stacks that it needs
LEGEND = "legend"
_LEGEND_SIZE = (200, 44)
_GAP = 14

Node = dict[str, Any]
Point = tuple[float, float]

_LAYERED = {
    "elk.algorithm": "layered",
    "elk.hierarchyHandling": "INCLUDE_CHILDREN",
    "elk.separateConnectedComponents": "false",
    "elk.spacing.nodeNode": _GAP,
    "elk.spacing.edgeNode": 10,
    "elk.spacing.edgeEdge": 8,
    "elk.layered.spacing.nodeNodeBetweenLayers": 26,
    "elk.layered.spacing.edgeNodeBetweenLayers": 12,
    "elk.layered.spacing.edgeEdgeBetweenLayers": 8,
    "elk.layered.thoroughness": 100,
}
# Children without edges: side by side (DOWN) or one below the other (RIGHT), because they share a layer.
_PACKED = {
    "elk.algorithm": "layered",
    "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
    "elk.separateConnectedComponents": "false",
    "elk.spacing.nodeNode": _GAP,
}


@dataclass(frozen=True)
class Area:
    """A rectangle in SVG units."""

    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: "Area") -> bool:
        """Return whether the two have a point in common."""
        return (
            self.x < other.x + other.width
            and other.x < self.x + self.width
            and self.y < other.y + other.height
            and other.y < self.y + self.height
        )

    def contains(self, point: Point) -> bool:
        """Return whether a point is in it, or on its edge."""
        return self.x <= point[0] <= self.x + self.width and self.y <= point[1] <= self.y + self.height


@dataclass(frozen=True)
class Layout:
    """The positions of all parts of the diagram.

    Attributes:
        areas: by name: boxes (`Stack/ConstructId`), stacks (`Stack`), and the legend
        routes: the corners of each arrow, by the names of its source and target
    """

    width: float
    height: float
    areas: dict[str, Area]
    routes: dict[tuple[str, str], list[Point]]


def lay_out(graph: Graph, sizes: Mapping[str, tuple[float, float]]) -> Layout:
    """Place the boxes of a graph and connect them.

    Args:
        graph: what to place
        sizes: width and height of each box

    Raises:
        subprocess.CalledProcessError: elkjs is not installed, or found no layout.
    """
    stacks = {
        stack: _node(
            stack,
            [
                {"id": name, "width": width, "height": height}
                for name, (width, height) in sizes.items()
                if stack_of(name) == stack
            ],
            _LAYERED,
            padding=(HEAD, FOOT if graph.needs[stack] else _GAP, 12),
        )
        for stack in sorted({stack_of(name) for name in graph.boxes})
    }
    ends = {arrow: {stack_of(arrow.source), stack_of(arrow.target)} for arrow in graph.arrows}
    connected = set().union(*(each for each in ends.values() if len(each) > 1))
    main = _node(
        "main",
        [stacks[stack] for stack in sorted(connected)],
        _LAYERED | {"elk.direction": "DOWN", "elk.layered.mergeEdges": "true"},
    )
    for arrow, (stack, *_) in ends.items():
        # A read goes against the flow of data, so elkjs reverses reads where arrows form a cycle.
        options = {"elk.layered.priority.direction": 1 if arrow.reads else 10}
        edge = {"id": f"{arrow.source}>{arrow.target}", "sources": [arrow.source], "targets": [arrow.target]}
        (main if stack in connected else stacks[stack])["edges"].append({**edge, "layoutOptions": options})
    others = [stacks[stack] for stack in stacks if stack not in connected]
    for node in others:
        # Many boxes without an arrow to them would make a wide row, so they form a column.
        roots = {box["id"] for box in node["children"]} - {edge["targets"][0] for edge in node["edges"]}
        node["layoutOptions"] |= {"elk.direction": "RIGHT" if len(roots) > 2 else "DOWN", "elk.alignment": "LEFT"}
        for box in node["children"]:
            box["layoutOptions"] = {"elk.alignment": "LEFT"}
    legend = {"id": LEGEND, "width": _LEGEND_SIZE[0], "height": _LEGEND_SIZE[1]}
    side = _node("side", [*others, legend], _PACKED | {"elk.direction": "RIGHT"})
    for node in (main, side):
        node["layoutOptions"]["elk.alignment"] = "TOP"
    root = _node("root", [main, side], _PACKED | {"elk.direction": "DOWN"}, padding=(_GAP, _GAP, _GAP))
    root["layoutOptions"] |= {"elk.json.shapeCoords": "ROOT", "elk.json.edgeCoords": "ROOT"}
    return _read(_run(root))


def _node(
    name: str, children: list[Node], options: Mapping[str, Any], padding: tuple[int, int, int] = (0, 0, 0)
) -> Node:
    top, bottom, sides = padding
    padded = {"elk.padding": f"[top={top},left={sides},bottom={bottom},right={sides}]"}
    return {"id": name, "children": children, "edges": [], "layoutOptions": {**options, **padded}}


def _run(root: Node) -> Node:
    script = Path(__file__).with_name("layout.mjs")
    node = os.environ.get("JSII_NODE", "node")  # `stacks` sets it when PATH has no node
    run = subprocess.run([node, script], input=json.dumps(root), stdout=subprocess.PIPE, text=True, check=True)
    laid_out: Node = json.loads(run.stdout)
    return laid_out


def _read(root: Node) -> Layout:
    nodes = [*_nodes(root)]
    routes = {}
    for edge in (edge for node in nodes for edge in node.get("edges", [])):
        (section,) = edge["sections"]
        points = [section["startPoint"], *section.get("bendPoints", []), section["endPoint"]]
        routes[edge["sources"][0], edge["targets"][0]] = [(point["x"], point["y"]) for point in points]
    areas = {node["id"]: Area(node["x"], node["y"], node["width"], node["height"]) for node in nodes}
    return Layout(root["width"], root["height"], areas, routes)


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.get("children", []):
        yield from _nodes(child)
