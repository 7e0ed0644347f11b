"""A merge join of two sorted listings that holds at most one entry of each in memory."""

from collections.abc import Iterator
from typing import TypeVar

Left = TypeVar("Left")
Right = TypeVar("Right")


def merge_join(
    left: Iterator[tuple[str, Left]], right: Iterator[tuple[str, Right]]
) -> Iterator[tuple[str, Left | None, Right | None]]:
    """Join two listings of (key, value) pairs on their keys (a full outer join).

    Args:
        left: A listing in ascending order of its keys, without duplicate keys.
        right: Another such listing.

    Yields:
        Each key that is in either listing, with the value on each side, or None on a side that lacks the key.
    """
    from_left, from_right = next(left, None), next(right, None)
    while from_left or from_right:
        key = min(entry[0] for entry in (from_left, from_right) if entry)
        on_left = on_right = None
        if from_left and from_left[0] == key:
            on_left, from_left = from_left[1], next(left, None)
        if from_right and from_right[0] == key:
            on_right, from_right = from_right[1], next(right, None)
        yield key, on_left, on_right
