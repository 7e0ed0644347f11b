"""The report lists the passed tests of each guarantee, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.guarantees import GUARANTEES, report

_MARKERS = "".join(f'@pytest.mark.guarantee("{name}")\n' for name in GUARANTEES)
_TESTS = f"""import pytest

{_MARKERS}@pytest.mark.parametrize("case", [1, 2])
def test_no_photo_is_lost(case): pass

def test_without_marker(): pass
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The JUnit XML of two marked cases and one other test, run with the project's conftest."""
    folder = tmp_path_factory.mktemp("tests")
    (folder / "test_it.py").write_text(_TESTS)
    options = ["-p", "tests.conftest", "-p", "no:cacheprovider", f"--rootdir={folder}", "--junitxml=results.xml"]
    root = str(Path(__file__).parents[2])
    subprocess.run(
        [sys.executable, "-m", "pytest", *options], cwd=folder, env={"PYTHONPATH": root, "PATH": ""}, check=True
    )
    return (folder / "results.xml").read_text()


def test_report_counts_passed_cases_of_marked_tests(results: str, tmp_path: Path) -> None:
    (tmp_path / "results.xml").write_text(results)
    written = report(tmp_path / "results.xml")
    assert written.count("| No photo is lost | [test_it.py](../../test_it.py) | 2 |") == len(GUARANTEES)
    assert "Without marker" not in written


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("</testcase>", "<failure/></testcase>", "did not pass"),
        ("</testcase>", "<skipped/></testcase>", "did not pass"),
        ('value="Closed"', 'value="Least privilege"', "No test shows the guarantee 'Closed'"),
        ('value="Closed"', 'value="Open"', "unknown guarantee 'Open'"),
    ],
    ids=["failed", "skipped", "missing", "unknown"],
)
def test_report_is_not_written_when_a_guarantee_is_not_shown(
    results: str, tmp_path: Path, old: str, new: str, message: str
) -> None:
    (tmp_path / "results.xml").write_text(results.replace(old, new))
    with pytest.raises(ValueError, match=message):
        report(tmp_path / "results.xml")
