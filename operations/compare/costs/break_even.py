"""The numbers of photos a day at which the cheaper of two options changes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations, pairwise

from operations.compare.costs.billed_time import Option
from operations.compare.costs.model import MAX_PHOTOS_PER_DAY, Model

# Costs that differ by less than this are the same: US dollars per month.
_CENT = 0.01

_STEPS_PER_DECADE = 100

Cost = Callable[[float], float]


@dataclass(frozen=True)
class BreakEven:
    """Which of two options is cheaper.

    Attributes:
        first: One option.
        second: Another option.
        points: Photos per day at which the cheaper option changes, ascending. Empty if one is always cheaper.
        cheaper: The option that is cheaper below the first point, then from it to the next one, and so on. Empty if
            the costs never differ by a cent.
    """

    first: Option
    second: Option
    points: tuple[int, ...]
    cheaper: tuple[Option, ...]


def break_evens(model: Model, options: Sequence[Option], *, free_tier: bool) -> list[BreakEven]:
    """Compare each pair of options, from idle to `MAX_PHOTOS_PER_DAY`."""
    costs: dict[Option, Cost] = {
        option: cache(lambda photos, option=option: model.cost(option, photos, free_tier=free_tier))
        for option in options
    }
    return [
        BreakEven(first, second, tuple(points), tuple(first if sign < 0 else second for sign in signs))
        for first, second in combinations(options, 2)
        for points, signs in [_distinct(*crossings(costs[first], costs[second]))]
    ]


def crossings(first: Cost, second: Cost, maximum: int = MAX_PHOTOS_PER_DAY) -> tuple[list[int], list[int]]:
    """Find where the cheaper of two costs changes.

    Args:
        first: US dollars per month by photos per day.
        second: The same for the other option.
        maximum: Photos per day up to which to look.

    Returns:
        The first photos per day at which the other one is cheaper, for each change that reaches a cent; and the sign
        of the difference (-1: the first one is cheaper) before, between, and after the changes.
    """

    def sign(photos: int) -> int:
        difference = first(photos) - second(photos)
        return 0 if abs(difference) < _CENT else 1 if difference > 0 else -1

    points: list[int] = []
    signs: list[int] = []
    known = [(photos, it) for photos in _grid(maximum) if (it := sign(photos))]
    signs += [it for _, it in known[:1]]
    for (low, before), (high, after) in pairwise(known):
        if before == after:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            changed = (first(middle) - second(middle)) * after > 0
            low, high = (low, middle) if changed else (middle, high)
        points.append(high)
        signs.append(after)
    return points, signs


def _distinct(points: list[int], signs: list[int]) -> tuple[list[int], list[int]]:
    """Return crossings without those that the next one reverts within two digits, as precise as a model can be."""
    kept, kept_signs = list[int](), signs[:1]
    for point, sign in zip(points, signs[1:], strict=True):
        if kept and f"{kept[-1]:.2g}" == f"{point:.2g}":
            kept.pop()
            kept_signs.pop()
        else:
            kept.append(point)
            kept_signs.append(sign)
    return kept, kept_signs


def _grid(maximum: int) -> list[int]:
    """Return numbers of photos from 0 to the maximum, all small ones, and the others at logarithmic distances."""
    numbers, number = [0], 1.0
    while number < maximum:
        numbers.append(int(number))
        number = max(number + 1, number * 10 ** (1 / _STEPS_PER_DECADE))
    return [*dict.fromkeys(numbers), maximum]
