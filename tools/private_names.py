"""Generate the list of the emulator's private names in docs/local.md: `python -m tools.private_names`."""

import argparse
import ast
import re
import sys
from collections.abc import Iterator

from tools.assembly import ROOT
from tools.tables import replace_generated

PAGE = ROOT / "docs" / "local.md"
EXTENSION = ROOT / "local" / "extension"

COMMAND = "python -m tools.private_names"


def page() -> str:
    """Return the page with the current list. Raises ValueError if the page has other markers."""
    rows = ["| Module | Why | Private names |", "| --- | --- | --- |"]
    for file in sorted(EXTENSION.glob("[a-z]*.py")):
        tree = ast.parse(file.read_text())
        if names := sorted(set(private_names(tree))):
            summary = (ast.get_docstring(tree) or "").splitlines()[0]
            listed = ", ".join(f"`{name}`" for name in names)
            rows.append(f"| [`{file.stem}`](../local/extension/{file.name}) | {summary} | {listed} |")
    return replace_generated(PAGE.read_text(), "\n".join(rows), command=COMMAND)


def private_names(tree: ast.AST) -> Iterator[str]:
    """Yield the private names of `ministack` that a module imports, or reads or replaces in what it imports."""
    imported = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and re.match(r"ministack\b", node.module or ""):
            for name in node.names:
                path = f"{node.module}.{name.name}".removeprefix("ministack.").removeprefix("services.")
                imported[name.asname or name.name] = path
                if name.name.startswith("_"):
                    yield path
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            owner = ast.unparse(node.value)
            first, _, rest = owner.partition(".")
            if first in imported and re.fullmatch(r"[\w.]+", owner):
                yield ".".join(filter(None, (imported[first], rest, node.attr)))


def main() -> None:
    """Write the page. Exit with 1 and the reason when a marker is missing."""
    argparse.ArgumentParser(prog=COMMAND, description=__doc__).parse_args()
    try:
        PAGE.write_text(page())
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
