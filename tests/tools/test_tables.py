"""The parts of pages that are made from the templates."""

from pathlib import Path

import pytest

from tools.tables import marks, parts, with_parts

BEGIN, END = marks("cost")


def test_the_pages_show_what_the_templates_say(assembly: Path) -> None:
    old = [
        page.name for page, made in parts(assembly).items() if with_parts(page.read_text(), made) != page.read_text()
    ]
    assert old == [], "Run: python -m tools.tables"


def test_the_text_around_a_part_stays() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter"
    assert with_parts(page, {"cost": "new"}) == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter"


@pytest.mark.parametrize("page", ["", BEGIN, END, f"{END}{BEGIN}"])
def test_says_so_when_the_marks_are_gone(page: str) -> None:
    with pytest.raises(ValueError, match="has lost the marks"):
        with_parts(page, {"cost": "new"})
