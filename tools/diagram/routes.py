"""A way for each arrow: straight between neighbours, else by the channel between two rows, never behind a box.

All arrows of a box that take a channel share one line in it, which forks towards where they lead.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sized
from itertools import permutations, product

from tools.diagram.graph import Arrow
from tools.diagram.grid import Grid, Point

# Between two ways into the same side of a box.
_PORT = 16

# A channel is known by the row above it.
Channel = int


class Routes:
    """Finds the ways of all arrows at once, as they share channels and sides of boxes."""

    def __init__(self, grid: Grid, arrows: Iterable[Arrow]) -> None:
        self._grid = grid
        self._arrows = list(arrows)
        self._ports = self._assign_ports()
        self._lines = self._assign_lines()

    def ways(self) -> dict[Arrow, list[Point]]:
        """The corners of each arrow's way, from box to box."""
        return {arrow: self._way(arrow) for arrow in self._arrows}

    def _way(self, arrow: Arrow) -> list[Point]:
        grid, source, target = self._grid, arrow.source, arrow.target
        if self._is_straight(arrow):
            right = grid.places[source].column < grid.places[target].column
            y = grid.middle(source).y
            return [Point(grid.side(source, right), y), Point(grid.side(target, not right), y)]
        leaving, entering = self._channels(arrow)
        out, into = self._port(arrow, source), self._port(arrow, target)
        first = self._lines[leaving, source]
        way = [out, Point(out.x, first)]
        if entering != leaving:
            last = self._lines[entering, source]
            way += [Point(grid.lane, first), Point(grid.lane, last)]
            first = last
        return [*way, Point(into.x, first), into]

    def _is_straight(self, arrow: Arrow) -> bool:
        source, target = self._grid.places[arrow.source], self._grid.places[arrow.target]
        left, right = sorted((source.column, target.column))
        between = [(column, source.row) for column in range(left + 1, right)]
        return source.row == target.row and not self._grid.taken(between)

    def _channels(self, arrow: Arrow) -> tuple[Channel, Channel]:
        """Where it leaves its source's row, and where it enters its target's: the same, if the way there is free."""
        source, target = self._grid.places[arrow.source], self._grid.places[arrow.target]
        if source.row <= target.row:
            leaving, entering = source.row, max(target.row - 1, source.row)
            rows = range(leaving + 1, target.row)
        else:
            leaving, entering = source.row - 1, target.row
            rows = range(target.row + 1, source.row)
        if self._grid.taken((target.column, row) for row in rows):
            return leaving, entering
        return leaving, leaving

    def _from_below(self, arrow: Arrow, box: str) -> bool:
        """Whether an arrow touches this box of its two at the lower side."""
        source, target = self._grid.places[arrow.source], self._grid.places[arrow.target]
        return source.row <= target.row if box == arrow.source else target.row <= source.row

    def _port(self, arrow: Arrow, box: str) -> Point:
        below = self._from_below(arrow, box)
        return Point(self._ports[box, below, arrow.source], self._grid.edge(box, below))

    def _assign_ports(self) -> dict[tuple[str, bool, str], float]:
        """Where on a side of a box the line of a source begins or ends, in the order of where the lines come from."""
        users: dict[tuple[str, bool], dict[str, float]] = defaultdict(dict)
        for arrow in self._arrows:
            if self._is_straight(arrow):
                continue
            for box, other in ((arrow.source, arrow.target), (arrow.target, arrow.source)):
                users[box, self._from_below(arrow, box)][arrow.source] = self._grid.middle(other).x
        ports: dict[tuple[str, bool, str], float] = {}
        for (box, below), sources in users.items():
            ordered = sorted(sources, key=lambda source: (sources[source], source))
            first = self._grid.port(box, below) - _PORT * (len(ordered) - 1) / 2
            ports |= {(box, below, source): first + _PORT * number for number, source in enumerate(ordered)}
        self._align(ports, users)
        return ports

    def _align(self, ports: dict[tuple[str, bool, str], float], users: Mapping[tuple[str, bool], Sized]) -> None:
        """Boxes one above the other: where a side has one port only, it moves so that the line is straight."""
        for arrow in self._arrows:
            source, target = self._grid.places[arrow.source], self._grid.places[arrow.target]
            if source.column != target.column or self._is_straight(arrow):
                continue
            out = arrow.source, self._from_below(arrow, arrow.source)
            into = arrow.target, self._from_below(arrow, arrow.target)
            if len(users[out]) == 1:
                ports[*out, arrow.source] = ports[*into, arrow.source]
            elif len(users[into]) == 1:
                ports[*into, arrow.source] = ports[*out, arrow.source]

    def _assign_lines(self) -> dict[tuple[Channel, str], float]:
        """The height of each source's line in each channel, in the order in which they cross least."""
        forks: dict[Channel, dict[str, list[tuple[float, bool]]]] = defaultdict(lambda: defaultdict(list))
        for arrow in self._arrows:
            if self._is_straight(arrow):
                continue
            leaving, entering = self._channels(arrow)
            out, into = self._port(arrow, arrow.source), self._port(arrow, arrow.target)
            forks[leaving][arrow.source].append((out.x, not self._from_below(arrow, arrow.source)))
            if leaving != entering:
                for channel in (leaving, entering):
                    forks[channel][arrow.source].append((self._grid.lane, (channel == leaving) == (leaving < entering)))
            forks[entering][arrow.source].append((into.x, not self._from_below(arrow, arrow.target)))
        lines = {}
        for channel, sources in forks.items():
            order = min(permutations(sorted(sources)), key=lambda order: _crossings(order, sources))
            for number, source in enumerate(order, start=1):
                lines[channel, source] = self._grid.line(channel, number / (len(order) + 1))
        return lines


def _crossings(order: tuple[str, ...], forks: Mapping[str, list[tuple[float, bool]]]) -> int:
    """How often lines in this order, from the top, cross each other's forks: each at a place, going down or up."""
    count = 0
    for (upper, above), (lower, below) in product(enumerate(order), repeat=2):
        if upper >= lower:
            continue
        spans = [(min(x for x, _ in forks[each]), max(x for x, _ in forks[each])) for each in (above, below)]
        count += sum(down and spans[1][0] <= x <= spans[1][1] for x, down in forks[above])
        count += sum(not down and spans[0][0] <= x <= spans[0][1] for x, down in forks[below])
        # Two forks of the same place, one above the other, would look like one.
        count += 10 * sum(a == b for a, _ in set(forks[above]) for b, _ in set(forks[below]))
    return count
