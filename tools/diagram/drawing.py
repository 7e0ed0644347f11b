"""The diagram as SVG, in the colors of the reader's theme: light or dark."""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from xml.sax.saxutils import escape

from tools.diagram.graph import Graph, stack_of
from tools.diagram.kinds import KINDS
from tools.diagram.layout import FOOT, LEGEND, Area, Point, lay_out

_STYLE = """
text { font-family: system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2933 }
.paper { fill: #ffffff } .panel { fill: #f4f6f8; stroke: #d5dbe1 } .box { fill: #ffffff; stroke: #9aa5b1 }
.title { font-size: 13px; font-weight: 700 } .label { font-size: 11.5px; font-weight: 600 }
.small { font-size: 10px; fill: #566573 }
.halo { paint-order: stroke; stroke: #f4f6f8; stroke-width: 4px; stroke-linejoin: round }
.line { fill: none; stroke-width: 1.6 } .reads { stroke-dasharray: 4 3 } .icon { fill: none; stroke-width: 1.2;
  stroke-linecap: round; stroke-linejoin: round }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .small { fill: #9fb0c0 } .halo { stroke: #161b22 }
  .paper { fill: #0d1117 } .panel { fill: #161b22; stroke: #30363d } .box { fill: #0d1117; stroke: #4d5866 }
}
"""

# Colors of the arrows that start in each stack, distinguishable on white and on black.
_COLORS = {
    "Api": "#8661c5",
    "Batch": "#c9742a",
    "Budget": "#9a6b4f",
    "Cron": "#c8508e",
    "Ecs": "#2f81d6",
    "Guardrails": "#c24a4a",
    "Lightsail": "#118f8f",
    "Registry": "#8a7a1f",
    "Thumbnails": "#2f9150",
}
_OTHER_COLOR = "#6b7785"

# SVG units for a letter in the widest of the fonts, and the height of a line.
LETTER = {"title": 8.6, "label": 7.3, "small": 5.6}
LINE = {"title": 13, "label": 12, "small": 10}

_BOX_HEIGHT, _TEXT_LEFT = 42, 29
_CORNER_RADIUS = 7
_HEAD_LENGTH = 7


def draw(graph: Graph) -> str:
    """Return the diagram as SVG."""
    texts = {
        name: (_label(name, kind), KINDS[kind].describe(properties)) for name, (kind, properties) in graph.boxes.items()
    }
    sizes = {
        name: (_TEXT_LEFT + 12 + max(len(label) * LETTER["label"], len(small) * LETTER["small"]), _BOX_HEIGHT)
        for name, (label, small) in texts.items()
    }
    layout = lay_out(graph, sizes)
    stacks = sorted({stack_of(name) for name in graph.boxes})
    lines = [
        Area(min(a, c), min(b, d), abs(c - a), abs(d - b))
        for route in layout.routes.values()
        for (a, b), (c, d) in pairwise(route)
    ]
    # Dashed arrows are drawn first, so that a line that they share with others is solid.
    arrows = sorted(graph.arrows, key=lambda arrow: not arrow.reads)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {layout.width:g} {layout.height:g}" role="img">',
        "<title>Other Compute: the stacks, their main resources, and the connections between them</title>",
        f"<style>{_STYLE}{''.join(map(_stack_style, [*stacks, LEGEND]))}</style>",
        f"<defs>{''.join(map(_arrowhead, [*stacks, LEGEND]))}</defs>",
        f'<rect class="paper" width="{layout.width:g}" height="{layout.height:g}" rx="10"/>',
        *(f'<rect class="panel" {_frame(layout.areas[stack])} rx="8"/>' for stack in stacks),
        *(_arrow(layout.routes[it.source, it.target], stack_of(it.source), it.reads) for it in arrows),
        *(
            _box(layout.areas[name], stack_of(name), KINDS[kind].icon, *texts[name])
            for name, (kind, _) in graph.boxes.items()
        ),
        *(_panel_texts(stack, layout.areas[stack], graph.needs[stack], lines) for stack in stacks),
        *_legend(layout.areas[LEGEND]),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _label(name: str, resource_type: str) -> str:
    """Return a construct id in words, without its type: `Api/AccessLogBucket` is `Access Log`."""
    construct_id = name.partition("/")[2]
    shortened = construct_id.removesuffix(resource_type.rpartition("::")[2]) or construct_id
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", shortened).replace("Ec2", "EC2").replace("Vpc", "VPC")


def _stack_style(stack: str) -> str:
    color = _COLORS.get(stack, _OTHER_COLOR)
    return f".{stack} {{ stroke: {color} }} .{stack}-head {{ fill: {color} }}\n"


def _arrowhead(stack: str) -> str:
    shape = f'<path class="{stack}-head" d="M0 0L{_HEAD_LENGTH} 3L0 6z"/>'
    size = f'markerWidth="{_HEAD_LENGTH}" markerHeight="6" refY="3" markerUnits="userSpaceOnUse"'
    return f'<marker id="{stack}" {size} orient="auto">{shape}</marker>'


def _panel_texts(stack: str, area: Area, needs: Sequence[str], lines: Sequence[Area]) -> str:
    foot = f"needs {', '.join(needs)}" if needs else ""
    title_x = _clear_x("title", stack, area, area.y + 20, lines)
    foot_y = area.y + area.height - FOOT / 3
    return (
        f'<circle class="{stack}-head" cx="{title_x + 4:g}" cy="{area.y + 15.5:g}" r="4"/>'
        f"{_text('title halo', title_x + 13, area.y + 20, stack)}"
        f"{_text('small halo', _clear_x('small', foot, area, foot_y, lines), foot_y, foot)}"
    )


def _clear_x(style: str, text: str, panel: Area, y: float, lines: Sequence[Area]) -> float:
    """Return the leftmost position in a panel where no line runs through a text, or the left edge if there is none."""
    width = LETTER[style] * len(text) + (20 if style == "title" else 4)
    left, right = int(panel.x) + 12, int(panel.x + panel.width - width)
    for x in range(left, right, 4):
        if not any(Area(x - 4, y - LINE[style], width, LINE[style] + 4).overlaps(line) for line in lines):
            return x
    return left


def _box(area: Area, stack: str, icon: str, label: str, small: str) -> str:
    return (
        f'<rect class="box" {_frame(area)} rx="6"/>'
        f'<path class="icon {stack}" transform="translate({area.x + 7:g} {area.y + 13:g})" d="{icon}"/>'
        f"{_text('label', area.x + _TEXT_LEFT, area.y + 18, label)}"
        f"{_text('small', area.x + _TEXT_LEFT, area.y + 33, small)}"
    )


def _frame(area: Area) -> str:
    return f'x="{area.x:g}" y="{area.y:g}" width="{area.width:g}" height="{area.height:g}"'


def _text(style: str, x: float, y: float, text: str) -> str:
    return f'<text class="{style}" x="{x:g}" y="{y:g}">{escape(text)}</text>' if text else ""


def _arrow(route: Sequence[Point], stack: str, reads: bool) -> str:
    route = [*route[:-1], _towards(route[-1], route[-2], _HEAD_LENGTH)]  # the arrowhead is the rest
    data = f"M{route[0][0]:g} {route[0][1]:g}"
    for (before, corner), (_, after) in pairwise(pairwise(route)):
        radius = min(_CORNER_RADIUS, _distance(corner, before) / 2, _distance(corner, after) / 2)
        start, end = _towards(corner, before, radius), _towards(corner, after, radius)
        data += f"L{start[0]:g} {start[1]:g}Q{corner[0]:g} {corner[1]:g} {end[0]:g} {end[1]:g}"
    data += f"L{route[-1][0]:g} {route[-1][1]:g}"
    return f'<path class="line {stack}{" reads" * reads}" marker-end="url(#{stack})" d="{data}"/>'


def _distance(first: Point, second: Point) -> float:
    return abs(first[0] - second[0]) + abs(first[1] - second[1])  # lines are horizontal or vertical


def _towards(start: Point, end: Point, distance: float) -> Point:
    share = distance / _distance(start, end)
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share


def _legend(area: Area) -> Iterator[str]:
    for y, reads, text in ((12, False, "starts, sends, writes"), (30, True, "only reads")):
        yield _arrow([(area.x, area.y + y), (area.x + 34, area.y + y)], LEGEND, reads)
        yield _text("small", area.x + 42, area.y + y + 3.5, text)
