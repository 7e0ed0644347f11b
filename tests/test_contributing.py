"""CONTRIBUTING.md is true: a stack added by its steps, in a copy of this folder, passes what it has to."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.project_copy import copy_project, replace

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
STEPS = (ROOT / "CONTRIBUTING.md").read_text().partition("## Add a stack")[2]

# What of `make check` and `make test` judges a new stack; the rest is no different for it.
_JUDGES = [
    "tests/stacks/test_wishes.py",
    "tests/compliance/test_cdk_nag.py",
    "tests/compliance/test_guarantees.py",
    "tests/compliance/test_stack_dependencies.py",
    "tests/compliance/test_resource_types.py",
    "tests/e2e/deployments/test_subsets.py::test_every_stack_is_deployed_alone",
    "tests/tools/diagram",
    "tests/tools/test_tables.py",
    "tests/operations/test_cost.py",
    "tests/test_documentation.py",
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of this folder, under version control."""
    copy_project(tmp_path)
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "--all"], cwd=tmp_path, check=True)
    return tmp_path


def _blocks(file: str) -> list[str]:
    """The pieces of Python that a step has for this file."""
    (step,) = re.findall(rf"\*\*{re.escape(file)}\*\*.*?\n((?:\n```python\n.*?\n```\n)+)", STEPS, re.DOTALL)
    return re.findall(r"```python\n(.*?\n)```", step, re.DOTALL)


def _insert(file: Path, text: str, before: str) -> None:
    replace(file, before, f"{text}{before}")


def _environment(copy: Path) -> dict[str, str]:
    """That of make in this copy, which is no test."""
    ours = {name: it for name, it in os.environ.items() if not name.startswith(("PYTEST_", "CDK_VALIDATION"))}
    return ours | {"PATH": f"{copy / '.venv/bin'}:{copy / 'node_modules/.bin'}:{ours['PATH']}"}


def test_a_stack_added_by_the_steps_passes(copy: Path) -> None:
    for file in ("stacks/wishes.py", "tests/stacks/test_wishes.py"):
        (content,) = _blocks(file)
        (copy / file).write_text(content)
    imported, created = _blocks("app.py")
    _insert(copy / "app.py", imported, "\n\ndef build(")
    _insert(copy / "app.py", created, "    Tags.of(app)")
    function, line = _blocks("tests/e2e/deployments/test_subsets.py")
    _insert(copy / "tests/e2e/deployments/test_subsets.py", f"{function}\n\n", "# A check for each stack")
    _insert(copy / "tests/e2e/deployments/test_subsets.py", line, '    "Network": _has_a_network,')

    written = re.findall(r"^(python -m \S+)", STEPS, re.MULTILINE)
    (in_a_sandbox,) = re.findall(r"^(pytest [^#\n]+)", STEPS, re.MULTILINE)
    assert len(written) == 2
    changed = "app.py stacks/wishes.py tests/stacks/test_wishes.py tests/e2e/deployments/test_subsets.py"
    tools = [f"ruff format --check {changed}", f"ruff check {changed}", "mypy stacks/wishes.py"]
    templates = ["cdk synth --quiet --strict", "cfn-lint cdk.out/Wishes.template.json"]
    for command in [*written, *tools, *templates, f"pytest -q {' '.join(_JUDGES)}", in_a_sandbox]:
        run = subprocess.run(command.split(), cwd=copy, env=_environment(copy), capture_output=True, text=True)
        assert run.returncode == 0, f"{command}\n{run.stdout}{run.stderr}"
    assert "Wishes" in (copy / "docs" / "architecture.svg").read_text()
