"""The parts of the README that are made from the templates: `python -m local.readme` writes them anew."""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from local.resource_table import resource_table
from operations.cost import HOURLY, idle_cost

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"


def parts(assembly: Path) -> dict[str, str]:
    """The text of each part by its name, for the stacks in a folder as `cdk synth` writes it."""
    cost = idle_cost(assembly)
    heading, *rows = cost.rows()
    table = [heading, ["---"] * len(heading), *(row for row in rows if float(row[HOURLY]))]
    return {
        "resources": resource_table(assembly),
        "cost": "\n".join([f"**{cost}.**", "", *(f"| {' | '.join(row)} |" for row in table)]),
    }


def with_parts(readme: str, made: Mapping[str, str]) -> str:
    """The README with these parts between their marks. Raises ValueError if a mark is missing."""
    for name, text in made.items():
        begin, end = marks(name)
        before, found_begin, rest = readme.partition(begin)
        _, found_end, after = rest.partition(end)
        if not (found_begin and found_end):
            raise ValueError(f"README.md has lost the marks {begin} and {end}")
        readme = f"{before}{begin}\n\n{text}\n\n{end}{after}"
    return readme


def marks(name: str) -> tuple[str, str]:
    """What begins and what ends the part of this name."""
    return f"<!-- {name}: written by `python -m local.readme` -->", f"<!-- {name} end -->"


def main() -> None:
    """Write the parts for the app as it is now."""
    argparse.ArgumentParser(prog="python -m local.readme", description=__doc__).parse_args()
    os.environ["CDK_VALIDATION"] = "false"  # the templates are checked by `make check`
    import stacks  # noqa: F401  # isort: skip  # first: it finds the node that aws_cdk starts
    from aws_cdk import App

    from app import build

    with tempfile.TemporaryDirectory() as folder:
        context = json.loads((ROOT / "cdk.json").read_text())["context"]
        build(App(context=context, outdir=folder)).synth()
        made = parts(Path(folder))
    README.write_text(with_parts(README.read_text(), made))


if __name__ == "__main__":
    try:
        main()
    except (ValueError, LookupError) as error:
        sys.exit(str(error))
