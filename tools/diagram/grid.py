"""The paper: places in columns and rows, made into points."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tools.diagram.places import Place

WIDTH = 960
MARGIN = 16
BOX_WIDTH, BOX_HEIGHT = 126, 42
_COLUMN = 152
_LEFT = MARGIN + 11

# Around the boxes of a panel: room for its name above, and for what it needs below.
HEAD, FOOT, SIDE = 26, 22, 11


@dataclass(frozen=True)
class Point:
    """In units of the SVG, from the top left."""

    x: float
    y: float


@dataclass(frozen=True)
class Gap:
    """Between two rows: free height for lines, and whether panels end above it and begin below it."""

    free: float
    ends: bool = False
    begins: bool = False


# Below each row. Below those that are not here, panels end and others begin.
_GAPS = [
    Gap(40, ends=True),
    Gap(20, ends=True, begins=True),
    Gap(44),
    Gap(56, ends=True, begins=True),
    Gap(36),
    Gap(14, ends=True, begins=True),
    Gap(34),
]
_OTHER_GAP = Gap(14, ends=True, begins=True)


@dataclass(frozen=True)
class Panel:
    """The frame of a stack."""

    stack: str
    x: float
    y: float
    width: float
    height: float


class Grid:
    """The boxes of these places."""

    def __init__(self, places: Mapping[str, Place]) -> None:
        self.places = dict(places)
        self._cells = {(place.column, place.row) for place in places.values()}
        self._tops: list[float] = [MARGIN + HEAD]
        for row in range(max(place.row for place in places.values())):
            gap = self._gap(row)
            self._tops.append(self._tops[-1] + BOX_HEIGHT + FOOT * gap.ends + gap.free + HEAD * gap.begins)
        self.height = self._tops[-1] + BOX_HEIGHT + FOOT + MARGIN
        # Right of all boxes: the way past rows in which none is free.
        self.lane = WIDTH - MARGIN - 2

    @staticmethod
    def _gap(row: int) -> Gap:
        return _GAPS[row] if row < len(_GAPS) else _OTHER_GAP

    def taken(self, cells: Iterable[tuple[int, int]]) -> bool:
        """Whether a box stands in one of these cells, given as column and row."""
        return not self._cells.isdisjoint(cells)

    def left(self, box: str) -> float:
        """The left side of a box."""
        return _LEFT + _COLUMN * self.places[box].column

    def middle(self, box: str) -> Point:
        """The middle of a box."""
        return Point(self.left(box) + BOX_WIDTH / 2, self._tops[self.places[box].row] + BOX_HEIGHT / 2)

    def side(self, box: str, right: bool) -> float:
        """The right or left side of a box."""
        return self.left(box) + BOX_WIDTH * right

    def edge(self, box: str, lower: bool) -> float:
        """The lower or upper edge of a box."""
        return self._tops[self.places[box].row] + BOX_HEIGHT * lower

    def port(self, box: str, lower: bool) -> float:
        """Where lines meet this edge: in the middle, unless the name of the panel is in the way."""
        panel = self.panel(box.partition("/")[0])
        first = self.left(box) == panel.x + SIDE and self.edge(box, False) == panel.y + HEAD
        return self.middle(box).x + (BOX_WIDTH * 3 / 8 if first and not lower else 0)

    def line(self, channel: int, share: float) -> float:
        """The height of a line in the channel below this row, at this share of it."""
        gap = self._gap(channel)
        return self._tops[channel] + BOX_HEIGHT + FOOT * gap.ends + gap.free * share

    def panel(self, stack: str) -> Panel:
        """The frame around the boxes of a stack."""
        boxes = [box for box in self.places if box.startswith(f"{stack}/")]
        left, right = min(map(self.left, boxes)) - SIDE, max(map(self.left, boxes)) + BOX_WIDTH + SIDE
        top = min(self.edge(box, False) for box in boxes) - HEAD
        bottom = max(self.edge(box, True) for box in boxes) + FOOT
        return Panel(stack, left, top, right - left, bottom - top)
