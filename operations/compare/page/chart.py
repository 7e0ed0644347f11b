"""The chart of a comparison as SVG: dollars by photos per day, in the colors of the reader's theme."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import ceil, floor, hypot, log10
from typing import Final
from xml.sax.saxutils import escape

from operations.compare.costs.billed_time import Option
from operations.compare.costs.break_even import break_evens
from operations.compare.costs.model import MAX_PHOTOS_PER_DAY, Model
from operations.compare.page.section import LABELS, rounded
from tools.diagram.layout import Area, Point

# Lines with their color, distinguishable on white and on black, and their dashes. Batch on On-Demand Instances is in
# the tables only: its lines are close to those on Spot.
_LINES: Final[Mapping[Option, tuple[str, str]]] = {
    "lambda": ("#c9742a", ""),
    "lambda-image": ("#8a7a1f", "1 4"),
    "fargate": ("#2f81d6", ""),
    "fargate-on-demand": ("#2f81d6", "8 4"),
    "ec2": ("#8661c5", "8 4"),
    "ec2-spot": ("#8661c5", ""),
    "batch-hourly": ("#2f9150", "2 3"),
    "batch-nightly": ("#118f8f", "10 3 2 3"),
    "lightsail": ("#c8508e", "14 4"),
}

# Short names for the labels of the lines.
_NAMES: Final[Mapping[Option, str]] = {
    "fargate-on-demand": "fargate On-Demand",
    "ec2": "ec2 On-Demand",
    "ec2-spot": "ec2 Spot",
    "fargate": "fargate Spot",
    "batch-hourly": "Batch hourly",
    "batch-nightly": "Batch nightly",
}

_WIDTH, _HEIGHT = 652, 600
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 190, 34, 64  # around the plot
_IDLE_WIDTH = 34  # from the vertical axis, which shows the idle cost, to one photo a day
_STEPS_PER_DECADE = 60
_CENT = 0.01

_LETTER, _LINE_HEIGHT = 7.6, 17  # of the text in the chart
_SAME = 6.0  # lines that are nowhere farther apart have one label
_SWATCH = 24
_TOLERANCE = 0.2

_STYLE = """
text { font-family: system-ui, "Segoe UI", Helvetica, Arial, sans-serif; font-size: 14px; fill: #1f2933 }
.paper { fill: #ffffff } .grid { stroke: #d5dbe1 } .small { fill: #566573 }
.halo { paint-order: stroke; stroke: #ffffff; stroke-width: 4px; stroke-linejoin: round }
.line { fill: none; stroke-width: 2.2; stroke-linejoin: round } .leader { fill: none; stroke: #566573 }
.dot { fill: #ffffff; stroke: #1f2933; stroke-width: 1.4 } .small-dot { fill: #566573 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .small { fill: #9fb0c0 } .halo { stroke: #0d1117 }
  .paper { fill: #0d1117 } .grid { stroke: #30363d } .leader { stroke: #9fb0c0 }
  .dot { fill: #0d1117; stroke: #e6edf3 } .small-dot { fill: #9fb0c0 }
}
"""


class _Axes:
    """Positions in the plot. Both axes are logarithmic; idle has a place of its own, left of one photo a day."""

    def __init__(self, costs: Sequence[float]) -> None:
        self.decades = floor(log10(max(_CENT, min(costs)))), ceil(log10(max(costs)))
        self.right, self.bottom = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
        self._decade_width = (self.right - _LEFT - _IDLE_WIDTH) / log10(MAX_PHOTOS_PER_DAY)
        self._decade_height = (self.bottom - _TOP) / (self.decades[1] - self.decades[0])

    def x(self, photos: float) -> float:
        return _LEFT + _IDLE_WIDTH + log10(photos) * self._decade_width if photos else _LEFT

    def y(self, usd: float) -> float:
        return self.bottom - (log10(max(usd, 10.0 ** self.decades[0])) - self.decades[0]) * self._decade_height


def draw(model: Model) -> str:
    """Return the chart as SVG."""

    def cost(option: Option, photos: float) -> float:
        return model.cost(option, photos, free_tier=False)

    decades = round(log10(MAX_PHOTOS_PER_DAY))
    numbers = [0, *(10 ** (step / _STEPS_PER_DECADE) for step in range(decades * _STEPS_PER_DECADE + 1))]
    axes = _Axes([cost(option, photos) for option in _LINES for photos in (numbers[0], numbers[-1])])
    curves = {option: [(axes.x(photos), axes.y(cost(option, photos))) for photos in numbers] for option in _LINES}
    groups = _groups(curves)
    curves = {option: curves[option] for option in groups}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        "<title>US dollars per month by photos per day, one line for each compute option</title>",
        f"<style>{_STYLE}{''.join(map(_line_style, curves))}</style>",
        f'<rect class="paper" width="{_WIDTH}" height="{_HEIGHT}" rx="10"/>',
        *_grid(axes),
        *(f'<path class="line {option}" d="{_path(curve)}"/>' for option, curve in curves.items()),
        *_limits(model, axes, curves),
        *_break_even_points(model, axes, curves),
        *_labels(curves, groups, axes),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _line_style(option: Option) -> str:
    color, dashes = _LINES[option]
    return f".{option} {{ stroke: {color}{f'; stroke-dasharray: {dashes}' if dashes else ''} }}\n"


def _groups(curves: Mapping[Option, Sequence[Point]]) -> dict[Option, list[Option]]:
    """Return the options with a line of their own, each with those whose lines it covers."""
    groups: dict[Option, list[Option]] = {}
    for option, curve in curves.items():
        for other in groups:
            if all(abs(a[1] - b[1]) <= _SAME for a, b in zip(curve, curves[other], strict=True)):
                groups[other].append(option)
                break
        else:
            groups[option] = [option]
    return groups


def _path(curve: Sequence[Point]) -> str:
    """Return a path without points that lie on a straight line between others, with a tolerance."""
    kept, skipped = [curve[0]], list[Point]()
    for point, following in pairwise(curve[1:]):
        skipped.append(point)
        if any(_distance(it, kept[-1], following) > _TOLERANCE for it in skipped):
            kept.append(point)
            skipped.clear()
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in [*kept, curve[-1]])


def _distance(point: Point, start: Point, end: Point) -> float:
    """Return the distance of a point from the line through two others."""
    (x, y), (a, b), (c, d) = point, start, end
    return abs((c - a) * (b - y) - (a - x) * (d - b)) / (hypot(c - a, d - b) or 1)


def _grid(axes: _Axes) -> Iterator[str]:
    for decade in range(axes.decades[0], axes.decades[1] + 1):
        y = axes.y(10.0**decade)
        yield f'<path class="grid" d="M{_LEFT} {y:.1f}H{axes.right}"/>'
        yield _text("small", _LEFT - 6, y + 4.5, f"${10.0**decade:,.{2 * (decade < 0)}f}", "end")
    ticks = {0: "idle"} | {10**power: _short(10**power) for power in range(round(log10(MAX_PHOTOS_PER_DAY)) + 1)}
    for photos, label in ticks.items():
        x = axes.x(photos)
        yield f'<path class="grid" d="M{x:.1f} {_TOP}V{axes.bottom}"/>'
        yield _text("small", x, axes.bottom + 18, label, "middle")
    yield _text("", 12, _TOP - 14, "US dollars per month, without the free tier")
    yield _text("", (_LEFT + axes.right) / 2, axes.bottom + 38, "photos per day", "middle")
    y = _HEIGHT - 8
    yield f'<circle class="dot" cx="18" cy="{y - 5}" r="4"/>'
    yield _text("small", 28, y, "break-even with lambda (small: of others)")
    x = _WIDTH - 214
    yield f'<path class="line lambda" d="M{x} {y - 12}V{y + 2}"/>'
    yield _text("small", x + 8, y, "maximum as deployed")


def _short(number: int) -> str:
    return f"{number // 10**6}M" if number >= 10**6 else f"{number // 1000}k" if number >= 1000 else str(number)


def _limits(model: Model, axes: _Axes, curves: Mapping[Option, Sequence[Point]]) -> Iterator[str]:
    """Mark how many photos a day each option can process within its maximum."""
    for option in curves:
        photos = model.most_photos_per_day(option)
        if photos <= MAX_PHOTOS_PER_DAY:
            x, y = axes.x(photos), axes.y(model.cost(option, photos, free_tier=False))
            yield f'<path class="line {option}" style="stroke-dasharray:none" d="M{x:.1f} {y - 7:.1f}v14"/>'


def _break_even_points(model: Model, axes: _Axes, curves: Mapping[Option, Sequence[Point]]) -> Iterator[str]:
    """Mark the break-even points of all lines. Those with `lambda` are labeled."""
    labeled: list[tuple[Point, str]] = []
    for pair in break_evens(model, list(curves), free_tier=False):
        for photos in pair.points:
            point = axes.x(photos), axes.y(model.cost(pair.first, photos, free_tier=False))
            if "lambda" in (pair.first, pair.second):
                labeled.append((point, rounded(photos)))
            else:
                yield f'<circle class="small-dot" cx="{point[0]:.1f}" cy="{point[1]:.1f}" r="2.2"/>'
    dots = [point for point, _ in labeled]
    taken = [Area(x - 5, y - 5, 10, 10) for x, y in dots]
    ink = [point for curve in curves.values() for point in curve]
    for (x, y), text in labeled:
        box = _place(x, y, text, taken, ink, axes)
        taken.append(box)
        near = min(max(x, box.x), box.x + box.width), min(max(y, box.y), box.y + box.height)
        if hypot(near[0] - x, near[1] - y) > 12:
            yield f'<path class="leader" d="M{x:.1f} {y:.1f}L{near[0]:.1f} {near[1]:.1f}"/>'
        yield f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'
        yield _text("small halo", box.x + 2, box.y + _LINE_HEIGHT - 4, text)


def _place(x: float, y: float, text: str, taken: Sequence[Area], ink: Sequence[Point], axes: _Axes) -> Area:
    """Return the place of a label near a point: free of other labels, and with few lines behind it."""
    width, height = len(text) * _LETTER + 4, _LINE_HEIGHT
    best, least = Area(x, y, width, height), float("inf")
    for distance in (6, 14, 26, 40, 60):
        for left, top in (
            (x + distance, y - height - distance / 2),
            (x - width - distance, y - height - distance / 2),
            (x + distance, y + distance / 2),
            (x - width - distance, y + distance / 2),
            (x - width / 2, y - height - distance),
            (x - width / 2, y + distance),
        ):
            box = Area(left, top, width, height)
            inside = left > _LEFT and left + width < axes.right and top > _TOP and top + height < axes.bottom
            if inside and not any(box.overlaps(other) for other in taken):
                cost = distance / 4 + 3 * sum(box.contains(point) for point in ink)
                if cost < least:
                    best, least = box, cost
    return best


def _labels(
    curves: Mapping[Option, Sequence[Point]], groups: Mapping[Option, Sequence[Option]], axes: _Axes
) -> Iterator[str]:
    """Name each option at the right end of its line. Labels that would overlap move apart."""
    ends = sorted((curves[line][-1][1], line, option) for line, options in groups.items() for option in options)
    places = _spread([y for y, _, _ in ends], _LINE_HEIGHT + 2, _TOP, axes.bottom)
    for (end, line, option), y in zip(ends, places, strict=True):
        x = axes.right + 16
        yield f'<path class="leader" d="M{axes.right} {end:.1f}L{x} {y:.1f}"/>'
        yield f'<path class="line {line}" d="M{x} {y:.1f}h{_SWATCH}"/>'
        yield _text("small", x + _SWATCH + 5, y + 4.5, _NAMES.get(option, LABELS[option]))


def _spread(wanted: Sequence[float], distance: float, least: float, most: float) -> list[float]:
    """Return ascending positions near the wanted ones, at least a distance apart, between two limits."""
    positions: list[float] = []
    for position in wanted:
        positions.append(max(position, positions[-1] + distance if positions else least))
    limit = most
    for index in reversed(range(len(positions))):
        positions[index] = min(positions[index], limit)
        limit = positions[index] - distance
    return positions


def _text(style: str, x: float, y: float, text: str, anchor: str = "start") -> str:
    attributes = (f' class="{style}"' if style else "") + (f' text-anchor="{anchor}"' if anchor != "start" else "")
    return f'<text{attributes} x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'
