"""The picture as SVG, in the colours of whoever looks at it: light or dark."""

from collections.abc import Sequence
from itertools import pairwise
from math import hypot
from xml.sax.saxutils import escape

from tools.diagram.graph import Graph
from tools.diagram.grid import BOX_HEIGHT, BOX_WIDTH, WIDTH, Grid, Panel, Point
from tools.diagram.kinds import KINDS
from tools.diagram.places import PLACES, Place
from tools.diagram.routes import Routes

_STYLE = """
text { font-family: system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2933 }
.paper { fill: #ffffff } .panel { fill: #f4f6f8; stroke: #d5dbe1 } .box { fill: #ffffff; stroke: #9aa5b1 }
.stack { font-size: 13px; font-weight: 700 } .label { font-size: 12px; font-weight: 600 }
.small { font-size: 10px; fill: #566573 }
.line { fill: none; stroke-width: 1.6 } .reads { stroke-dasharray: 4 3 } .sign { fill: none; stroke-width: 1.2;
  stroke-linecap: round; stroke-linejoin: round }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .small { fill: #9fb0c0 }
  .paper { fill: #0d1117 } .panel { fill: #161b22; stroke: #30363d } .box { fill: #0d1117; stroke: #4d5866 }
}
"""

# Of the lines that leave a stack's boxes: told apart on white and on black, by most eyes.
_COLOURS = {
    "Api": "#8661c5",
    "Batch": "#c9742a",
    "Cron": "#c8508e",
    "Ecs": "#2f81d6",
    "Guardrails": "#c24a4a",
    "Lightsail": "#118f8f",
    "Registry": "#8a7a1f",
    "Thumbnails": "#2f9150",
}
_OTHER_COLOUR = "#6b7785"

_CORNER = 7
_HEAD_LENGTH, _HEAD_WIDTH = 7, 6


class Unplaced(ValueError):
    """The app has a resource for which the picture has no place."""


def draw(graph: Graph) -> str:
    """The picture. Raises Unplaced."""
    missing = sorted(graph.boxes.keys() - PLACES.keys())
    if missing:
        raise Unplaced(f"No place in the picture for {', '.join(missing)}: give it one in tools/diagram/places.py")
    unsigned = sorted(PLACES.keys() - graph.boxes.keys())
    if unsigned:
        raise Unplaced(
            f"{', '.join(unsigned)}: not there any more, or of a type without a sign in tools/diagram/kinds.py"
        )
    places = {name: PLACES[name] for name in graph.boxes}
    grid = Grid(places)
    ways = Routes(grid, graph.arrows).ways()
    stacks = sorted({name.partition("/")[0] for name in places})
    # What only reads is drawn first: where it shares a line, the line is a whole one.
    arrows = sorted(ways, key=lambda arrow: not arrow.reads)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {grid.height:g}" role="img">',
        "<title>Other Compute: the stacks, their main resources, and what leads from one to another</title>",
        f"<style>{_STYLE}{_stack_styles(stacks)}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{grid.height:g}" rx="10"/>',
        *(_panel(grid.panel(stack), graph.needs[stack]) for stack in stacks),
        *(_arrow(ways[arrow], _stack(arrow.source), arrow.reads) for arrow in arrows),
        *(_box(grid, name, place, *graph.boxes[name]) for name, place in places.items()),
        _legend(grid),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _stack(name: str) -> str:
    return name.partition("/")[0]


def _stack_styles(stacks: Sequence[str]) -> str:
    return "".join(
        f".{stack} {{ stroke: {colour} }} .{stack}-head {{ fill: {colour} }}\n"
        for stack, colour in ((stack, _COLOURS.get(stack, _OTHER_COLOUR)) for stack in stacks)
    )


def _panel(panel: Panel, needs: Sequence[str]) -> str:
    frame = f'x="{panel.x:g}" y="{panel.y:g}" width="{panel.width:g}" height="{panel.height:g}"'
    foot = f"needs {', '.join(needs)}" if needs else ""
    return (
        f'<rect class="panel" {frame} rx="8"/>'
        f'<circle class="{panel.stack}-head" cx="{panel.x + 15:g}" cy="{panel.y + 13.5:g}" r="4"/>'
        f"{_text('stack', panel.x + 24, panel.y + 18, panel.stack)}"
        f"{_text('small', panel.x + 12, panel.y + panel.height - 7, foot)}"
    )


def _box(grid: Grid, name: str, place: Place, resource_type: str, properties: dict[str, object]) -> str:
    kind, x, y = KINDS[resource_type], grid.left(name), grid.edge(name, False)
    return (
        f'<rect class="box" x="{x:g}" y="{y:g}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="6"/>'
        f'<path class="sign {_stack(name)}" transform="translate({x + 7:g} {y + 13:g})" d="{kind.sign}"/>'
        f"{_text('label', x + 29, y + 18, place.label)}{_text('small', x + 29, y + 33, kind.describe(properties))}"
    )


def _text(style: str, x: float, y: float, text: str) -> str:
    return f'<text class="{style}" x="{x:g}" y="{y:g}">{escape(text)}</text>'


def _arrow(way: Sequence[Point], stack: str, reads: bool) -> str:
    way = [point for number, point in enumerate(way) if number == 0 or point != way[number - 1]]
    before, end = way[-2:]
    length = hypot(end.x - before.x, end.y - before.y)
    dx, dy = (end.x - before.x) / length, (end.y - before.y) / length
    back = Point(end.x - dx * _HEAD_LENGTH, end.y - dy * _HEAD_LENGTH)
    wing = Point(-dy * _HEAD_WIDTH / 2, dx * _HEAD_WIDTH / 2)
    head = f"M{end.x:g} {end.y:g}L{back.x + wing.x:g} {back.y + wing.y:g}L{back.x - wing.x:g} {back.y - wing.y:g}z"
    line = _rounded([*way[:-1], back])
    dashed = " reads" if reads else ""
    return f'<path class="line{dashed} {stack}" d="{line}"/><path class="{stack}-head" d="{head}"/>'


def _rounded(way: Sequence[Point]) -> str:
    """The way as path data, its corners made round."""
    data = f"M{way[0].x:g} {way[0].y:g}"
    for (before, corner), (_, after) in pairwise(pairwise(way)):
        size = min(
            _CORNER,
            hypot(corner.x - before.x, corner.y - before.y) / 2,
            hypot(after.x - corner.x, after.y - corner.y) / 2,
        )
        start, end = _towards(corner, before, size), _towards(corner, after, size)
        data += f"L{start.x:g} {start.y:g}Q{corner.x:g} {corner.y:g} {end.x:g} {end.y:g}"
    return f"{data}L{way[-1].x:g} {way[-1].y:g}"


def _towards(start: Point, end: Point, distance: float) -> Point:
    length = hypot(end.x - start.x, end.y - start.y) or 1
    return Point(start.x + (end.x - start.x) * distance / length, start.y + (end.y - start.y) * distance / length)


def _legend(grid: Grid) -> str:
    x, y = grid.left("Registry/Builder"), grid.height - 50
    whole = _arrow([Point(x, y), Point(x + 34, y)], "Network", False)
    dashed = _arrow([Point(x, y + 18), Point(x + 34, y + 18)], "Network", True)
    return (
        f"{whole}{_text('small', x + 42, y + 3.5, 'starts, sends, writes')}"
        f"{dashed}{_text('small', x + 42, y + 21.5, 'only reads')}"
    )
