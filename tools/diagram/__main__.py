"""Draws docs/architecture.svg anew, from the templates of the app as it is now."""

import argparse
import sys

from tools.assembly import ROOT, synthesized
from tools.diagram.drawing import Unplaced, draw
from tools.diagram.graph import read_graph

PICTURE = ROOT / "docs" / "architecture.svg"


def main() -> None:
    """Draw it. Exits with one line when the app has a resource that the picture has no place for."""
    argparse.ArgumentParser(prog="python -m tools.diagram", description=__doc__).parse_args()
    with synthesized() as assembly:
        try:
            PICTURE.write_text(draw(read_graph(assembly)))
        except Unplaced as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main()
