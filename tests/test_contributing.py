"""The recipes in CONTRIBUTING.md, executed step by step in a copy of the repository."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.project_copy import copy_project, replace

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
SECTIONS = dict(
    re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE | re.DOTALL)
)

# The tests without a sandbox that check every stack and every function.
_CHECKS = [
    "tests/compliance",
    "tests/lambda_src/wish",
    "tests/stacks",
    "tests/e2e/deployments/test_subsets.py::test_every_stack_has_a_smoke_test",
    "tests/operations/cost/test_idle.py",
    "tests/test_documentation.py",
    "tests/tools/diagram",
    "tests/tools/test_tables.py",
]

# The tests without a sandbox that depend on the thumbnail sizes.
_TESTS_OF_SIZES = [
    "tests/lambda_src/api",
    "tests/lambda_src/photos/test_keys.py",
    "tests/lambda_src/photos/test_sweep.py",
    "tests/lambda_src/photos/test_thumbnails.py",
    "tests/lambda_src/thumbnail",
    "tests/containers/album",
    "tests/soak",
    "tests/stacks/support/test_openapi.py",
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the repository."""
    copy_project(tmp_path)
    for command in ("git init --quiet --initial-branch=main", "git add --all"):
        subprocess.run(command.split(), cwd=tmp_path, check=True)
    return tmp_path


def _code(section: str, file: str) -> list[str]:
    """Return the code blocks that follow the name of a file in a recipe, up to the next file."""
    step = re.findall(rf"\*\*{re.escape(file)}\*\*(.*?)(?=\*\*[\w/]+\.py\*\*|\Z)", SECTIONS[section], re.DOTALL)
    blocks = re.findall(r"( *)```python\n(.*?)\n *```", "".join(step), re.DOTALL)
    return ["".join(f"{line.removeprefix(indent)}\n" for line in code.splitlines()) for indent, code in blocks]


def _create(copy: Path, section: str, file: str) -> None:
    (copy / file).parent.mkdir(parents=True, exist_ok=True)
    (copy / file).write_text(_code(section, file)[0])


def _insert(file: Path, code: str, before: str) -> None:
    replace(file, before, f"{code}{before}")


def _run(copy: Path, *commands: str) -> None:
    """Run commands in a shell with the environment that make sets up."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "CDK_VALIDATION"))}
    environment["PATH"] = f"{copy / '.venv/bin'}:{copy / 'node_modules/.bin'}:{environment['PATH']}"
    for command in commands:
        run = subprocess.run(command, shell=True, cwd=copy, env=environment, capture_output=True, text=True)
        assert run.returncode == 0, f"{command}\n{run.stdout}{run.stderr}"


def test_added_stack_and_function_pass_all_checks(copy: Path) -> None:
    stack, function = "Add a stack", "Add a function"
    for file in ("stacks/wishes.py", "tests/stacks/test_wishes.py"):
        _create(copy, stack, file)
    imported, created = _code(stack, "app.py")
    _insert(copy / "app.py", imported, "from stacks.workers import")
    _insert(copy / "app.py", created, "    # fmt: on")
    subset, entry = _code(stack, "tests/e2e/deployments/test_subsets.py")
    _insert(copy / "tests/e2e/deployments/test_subsets.py", f"{subset}\n\n", "# The smoke test of each stack.")
    _insert(copy / "tests/e2e/deployments/test_subsets.py", entry, '    "Network":')
    _run(copy, "ruff check app.py stacks/wishes.py", "pytest -q tests/stacks/test_wishes.py")

    for file in ("lambda_src/wish/handler.py", "stacks/wishes.py", "tests/lambda_src/wish/test_handler.py"):
        _create(copy, function, file)
    _run(copy, *re.findall(r"^ *((?:touch|cp) .+)$", SECTIONS[function], re.MULTILINE))
    replace(copy / "app.py", created, _code(function, "app.py")[0])
    (probe,) = _code(function, "tests/permissions/probes/functions.py")
    _insert(copy / "tests/permissions/probes/functions.py", f"{probe}\n\n", "def _log(")

    files = "app.py stacks/wishes.py lambda_src/wish tests/stacks/test_wishes.py tests/lambda_src/wish"
    files += " tests/e2e/deployments/test_subsets.py tests/permissions/probes/functions.py"
    _run(
        copy, f"ruff format --check {files}", f"ruff check {files}", "mypy stacks/wishes.py lambda_src/wish/handler.py"
    )
    _run(copy, "cdk synth --quiet --strict", "cfn-lint cdk.out/Wishes.template.json")
    _run(copy, *re.findall(r"^ *(python -m \S+)", SECTIONS[stack], re.MULTILINE))
    _run(
        copy,
        f"pytest -q -m 'not slow' {' '.join(_CHECKS)}",
        *re.findall(r"^ *(pytest .+)$", SECTIONS[stack], re.MULTILINE),
    )
    assert "Wishes" in (copy / "docs" / "architecture.svg").read_text()


def test_sizes_change_in_one_place(copy: Path) -> None:
    limits = copy / "lambda_src" / "photos" / "limits.py"
    changed, count = re.subn(r"(?<=^SIZES: Final = )\(.*?\)", "(200, 1600)", limits.read_text(), flags=re.MULTILINE)
    assert count == 1
    limits.write_text(changed)
    _run(copy, f"pytest -q -m 'not slow' {' '.join(_TESTS_OF_SIZES)}")
