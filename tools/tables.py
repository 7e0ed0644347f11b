"""The parts of pages that are made from the templates: `python -m tools.tables` writes them anew."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from operations.cost import HOURLY, idle_cost
from tools.assembly import ROOT, synthesized
from tools.resource_table import resource_table

README = ROOT / "README.md"
COSTS = ROOT / "docs" / "costs.md"


def parts(assembly: Path) -> dict[Path, dict[str, str]]:
    """The text of each part by its page and its name, for the stacks in a folder as `cdk synth` writes it."""
    cost = idle_cost(assembly)
    heading, *rows = cost.rows()
    table = [heading, ["---"] * len(heading), *(row for row in rows if float(row[HOURLY]))]
    return {
        README: {"resources": resource_table(assembly), "cost": f"**{cost}.**"},
        COSTS: {"costs": "\n".join(f"| {' | '.join(row)} |" for row in table)},
    }


def with_parts(page: str, made: Mapping[str, str]) -> str:
    """The page with these parts between their marks. Raises ValueError if a mark is missing."""
    for name, text in made.items():
        begin, end = marks(name)
        before, found_begin, rest = page.partition(begin)
        _, found_end, after = rest.partition(end)
        if not (found_begin and found_end):
            raise ValueError(f"A page has lost the marks {begin} and {end}")
        page = f"{before}{begin}\n\n{text}\n\n{end}{after}"
    return page


def marks(name: str) -> tuple[str, str]:
    """What begins and what ends the part of this name."""
    return f"<!-- {name}: written by `python -m tools.tables` -->", f"<!-- {name} end -->"


def main() -> None:
    """Write the parts for the app as it is now. Exits with one line when a mark or a price is missing."""
    argparse.ArgumentParser(prog="python -m tools.tables", description=__doc__).parse_args()
    try:
        with synthesized() as assembly:
            for page, made in parts(assembly).items():
                page.write_text(with_parts(page.read_text(), made))
    except (ValueError, LookupError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
