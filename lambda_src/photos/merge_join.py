"""Two long listings in the same order, compared as they pass: never more of them in memory than a page."""

from collections.abc import Iterator
from typing import TypeVar

Left = TypeVar("Left")
Right = TypeVar("Right")


def merge_join(
    left: Iterator[tuple[str, Left]], right: Iterator[tuple[str, Right]]
) -> Iterator[tuple[str, Left | None, Right | None]]:
    """Each name that is in either listing, with what each has under it: None where it has nothing.

    Both listings are sorted by name, and no name comes twice in one.
    """
    from_left, from_right = next(left, None), next(right, None)
    while from_left or from_right:
        name = min(entry[0] for entry in (from_left, from_right) if entry)
        on_left = on_right = None
        if from_left and from_left[0] == name:
            on_left, from_left = from_left[1], next(left, None)
        if from_right and from_right[0] == name:
            on_right, from_right = from_right[1], next(right, None)
        yield name, on_left, on_right
