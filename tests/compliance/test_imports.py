"""Imports point one way: app → stacks → stacks.constructs → stacks.support; product code imports no tools or tests."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# What the files of each folder must not import.
_FORBIDDEN = {
    ".": ("local", "operations", "tools", "tests"),
    "stacks": ("app", "local", "operations", "tools", "tests"),
    "stacks/constructs": tuple(f"stacks.{file.stem}" for file in (ROOT / "stacks").glob("[a-z]*.py")),
    "stacks/support": ("stacks.constructs", *(f"stacks.{file.stem}" for file in (ROOT / "stacks").glob("[a-z]*.py"))),
    "lambda_src": ("app", "stacks", "local", "operations", "tools", "tests", "aws_cdk"),
    "lambda_src/photos": tuple(file.parent.name for file in (ROOT / "lambda_src").glob("*/handler.py")),
    "containers": ("app", "stacks", "local", "operations", "tools", "tests", "aws_cdk"),
}


def _imports(file: Path) -> set[str]:
    imported = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported |= {f"{node.module}.{alias.name}" for alias in node.names}
    return imported


@pytest.mark.parametrize("folder", _FORBIDDEN)
def test_folder_has_no_forbidden_imports(folder: str) -> None:
    files = list((ROOT / folder).glob("*.py" if folder == "." else "**/*.py"))
    assert files
    for file in files:
        wrong = [name for name in _imports(file) if f"{name}.".startswith(tuple(f"{it}." for it in _FORBIDDEN[folder]))]
        assert wrong == [], file.relative_to(ROOT)
