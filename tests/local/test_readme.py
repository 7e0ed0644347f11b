"""The parts of the README that are made from the templates."""

from pathlib import Path

import pytest

from local.readme import README, marks, parts, with_parts

BEGIN, END = marks("cost")


def test_the_readme_shows_what_the_templates_say(assembly: Path) -> None:
    readme = README.read_text()
    assert with_parts(readme, parts(assembly)) == readme, "Run: python -m local.readme"


def test_the_text_around_a_part_stays() -> None:
    readme = f"before\n{BEGIN}\nold\n{END}\nafter"
    assert with_parts(readme, {"cost": "new"}) == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter"


@pytest.mark.parametrize("readme", ["", BEGIN, END, f"{END}{BEGIN}"])
def test_says_so_when_the_marks_are_gone(readme: str) -> None:
    with pytest.raises(ValueError, match="has lost the marks"):
        with_parts(readme, {"cost": "new"})
