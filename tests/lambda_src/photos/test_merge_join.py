"""The merge join of two sorted listings."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from photos.merge_join import merge_join

_LISTING = st.dictionaries(st.text(), st.integers())


@given(_LISTING, _LISTING)
def test_merge_join_yields_each_key_once_in_order_with_both_values(left: dict[str, int], right: dict[str, int]) -> None:
    rows = list(merge_join(iter(sorted(left.items())), iter(sorted(right.items()))))
    assert rows == [(key, left.get(key), right.get(key)) for key in sorted(left | right)]


def test_merge_join_reads_at_most_one_entry_ahead() -> None:
    read = []

    def listing(name: str) -> Iterator[tuple[str, str]]:
        for number in range(1000):
            read.append(name)
            yield f"{number:04}", name

    rows = merge_join(listing("left"), listing("right"))
    for _ in range(10):
        next(rows)
    assert len(read) <= 2 * 11
