"""The page of proofs: made of records alone, and of all of them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tools import guarantees
from tools.guarantees import COMMANDS, PAGE, RECORDS, ROOT, Incomplete, Proof

PROOF = Proof("Nothing is lost", "1,000 photos | 16 clients", 1000, "all\nthere")
DOOR = Proof("Nothing is open", "a door", 1, "shut")


@pytest.fixture
def tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of tests, of which one proves something, beside one command."""
    monkeypatch.setattr(guarantees, "COMMANDS", ("make soak",))
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "test_a.py").write_text("def test_it(proof): ...\ndef test_other(sandbox): ...\ndef no_test(): ...")
    return folder


def test_provers_are_commands_tests_with_the_fixture_and_files_of_traps(tests: Path) -> None:
    (tests / "test_deploy_traps_a.py").write_text("def test_no_trap(template): ...")
    assert guarantees.provers(tests) == {"make soak", "tests/test_a.py::test_it", "tests/test_deploy_traps_a.py"}


def test_a_row_is_what_the_run_wrote_down(tests: Path, tmp_path: Path) -> None:
    guarantees.write("make soak", [PROOF], tmp_path)
    guarantees.write("tests/test_a.py::test_it[one]", [DOOR], tmp_path)
    text = guarantees.page(tmp_path, tests)
    assert "| 1,000 photos ∣ 16 clients | 1,000 | all there | `make soak` | 20" in text
    assert "| a door | 1 | shut | `tests/test_a.py::test_it` | 20" in text
    assert text.index("## Nothing is lost") < text.index("## Nothing is open")
    assert "## Nothing is left" not in text
    assert guarantees.provers_on(text) == {"make soak", "tests/test_a.py::test_it"}


def test_a_prover_that_has_not_run_is_named(tests: Path, tmp_path: Path) -> None:
    guarantees.write("make soak", [PROOF], tmp_path)
    with pytest.raises(Incomplete, match=r"^Has not run: tests/test_a\.py::test_it$"):
        guarantees.page(tmp_path, tests)


def test_one_case_of_a_test_that_failed_is_named_though_the_others_passed(tests: Path, tmp_path: Path) -> None:
    guarantees.write("make soak", [PROOF], tmp_path)
    for case in ("one", "other"):
        guarantees.write(f"tests/test_a.py::test_it[{case}]", [DOOR], tmp_path)
    guarantees.forget("tests/test_a.py::test_it[one]", tmp_path)
    with pytest.raises(Incomplete, match=r"^Has not come to a good end: tests/test_a\.py::test_it\[one\]$"):
        guarantees.page(tmp_path, tests)


def test_what_is_proved_no_more_is_no_row(tests: Path, tmp_path: Path) -> None:
    for by in ("make soak", "tests/test_a.py::test_it", "tests/test_gone.py::test_it"):
        guarantees.write(by, [Proof("Nothing is lost", by, 1, "x")], tmp_path)
    assert "test_gone" not in guarantees.page(tmp_path, tests)


def test_the_page_has_a_row_of_every_prover_and_of_no_other() -> None:
    assert guarantees.provers_on(PAGE.read_text()) == guarantees.provers(), "`make proofs` writes it anew"


def test_make_proofs_begins_without_records() -> None:
    told = subprocess.run(["make", "--dry-run", "proofs"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert told.index(f"rm -rf {RECORDS.relative_to(ROOT)}\n") < told.index("\npytest")


def test_an_unknown_claim_is_refused() -> None:
    with pytest.raises(ValueError, match=r"A claim is one of 'Nothing is lost', .* but received 'All is well'"):
        Proof("All is well", "nothing", 0, "nothing")


def test_the_fixture_writes_what_a_test_found_and_forgets_what_it_found_before(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(guarantees, "RECORDS", tmp_path)
    by = request.node.nodeid
    guarantees.write(by, [PROOF], tmp_path)
    prove = request.getfixturevalue("proof")
    assert _tried(tmp_path) == {by: []}, "a test that fails now has proved nothing"
    prove("Nothing is lost", tried="one", times=1, found="x")
    prove("Nothing is open", tried="two", times=2, found="y")
    assert _tried(tmp_path) == {by: ["one", "two"]}


_TESTS = """
import pytest

@pytest.fixture
def unclean():
    yield
    assert False

@pytest.fixture
def broken():
    assert False

def _prove(proof):
    proof("Nothing is lost", tried="it", times=1, found="x")

def test_passes(proof): _prove(proof)
def test_fails_later(proof): _prove(proof); assert False
def test_is_not_cleaned_up(unclean, proof): _prove(proof)
def test_does_not_begin(broken, proof): _prove(proof)
"""


_PASSES = "def test_passes():\n    pass\n"
_FAILS = "def test_fails():\n    assert False\n"


def test_who_fails_at_any_time_has_proved_nothing(tmp_path: Path) -> None:
    records = tmp_path / "records"
    patch = f"from pathlib import Path\nfrom tools import guarantees\nproofs.RECORDS = Path({str(records)!r})\n"
    (tmp_path / "conftest.py").write_text(patch)
    (tmp_path / "test_it.py").write_text(_TESTS)
    # Whoever takes no `proof` leaves no record.
    (tmp_path / "test_deploy_traps_a.py").write_text(f"{_FAILS}\n{_PASSES}")
    (tmp_path / "test_deploy_traps_b.py").write_text(f"{_PASSES}\n{_PASSES.replace('passes', 'passes_too')}")
    (tmp_path / "test_other.py").write_text(_FAILS)
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "tests.compliance.conftest"]
    subprocess.run([*command, f"--rootdir={tmp_path}", tmp_path], cwd=ROOT, capture_output=True)
    tried = _tried(records)
    traps = {by: rows for by, rows in tried.items() if "traps" in by}
    assert traps == {
        "test_deploy_traps_a.py": [],
        "test_deploy_traps_b.py": ["known traps of deploying, changing or destroying: `b`, a test for each"],
    }
    assert {by: rows for by, rows in tried.items() if by not in traps} == {
        "test_it.py::test_passes": ["it"],
        "test_it.py::test_fails_later": [],
        "test_it.py::test_is_not_cleaned_up": [],
        "test_it.py::test_does_not_begin": [],
    }


def _tried(records: Path) -> dict[str, list[str]]:
    """What was tried, by who did."""
    return {record.by: [proof.tried for proof in record.proofs] for record in guarantees.read(records)}


def test_every_command_of_the_page_is_a_target_of_make() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {command.removeprefix("make ") for command in COMMANDS} <= set(re.findall(r"^make (\w+)", listed, re.M))
