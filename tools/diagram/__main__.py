"""Generate docs/architecture.svg from the templates of the app."""

import argparse

from tools.assembly import ROOT, synthesized
from tools.diagram.drawing import draw
from tools.diagram.graph import read_graph

DIAGRAM = ROOT / "docs" / "architecture.svg"


def main() -> None:
    """Synthesize the app and write the diagram."""
    argparse.ArgumentParser(prog="python -m tools.diagram", description=__doc__).parse_args()
    with synthesized() as assembly:
        DIAGRAM.write_text(draw(read_graph(assembly)))


if __name__ == "__main__":
    main()
