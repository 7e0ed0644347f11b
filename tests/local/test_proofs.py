"""The page of proofs: made of records alone, and of all of them."""

import re
import subprocess
from pathlib import Path

import pytest

from local import proofs
from local.proofs import COMMANDS, ROOT, Incomplete, Proof

PROOF = Proof("Nothing is lost", "1,000 photos | 16 clients", 1000, "all\nthere")


@pytest.fixture
def tests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of tests, of which one proves something, beside one command."""
    monkeypatch.setattr(proofs, "COMMANDS", ("make soak",))
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "test_a.py").write_text("def test_it(proof): ...\ndef test_other(sandbox): ...\ndef no_test(): ...")
    return folder


def test_a_row_is_what_the_run_wrote_down(tests: Path, tmp_path: Path) -> None:
    proofs.write("make soak", [PROOF], tmp_path)
    proofs.write("tests/test_a.py::test_it[one]", [Proof("Nothing is open", "a door", 1, "shut")], tmp_path)
    text = proofs.page("", tmp_path, tests)
    assert "| 1,000 photos ∣ 16 clients | 1,000 | all there | `make soak` | 20" in text
    assert "| a door | 1 | shut | `tests/test_a.py::test_it` | 20" in text
    assert text.index("## Nothing is lost") < text.index("## Nothing is open")
    assert "## Nothing is left" not in text


def test_a_prover_that_has_not_run_is_named(tests: Path, tmp_path: Path) -> None:
    proofs.write("make soak", [PROOF], tmp_path)
    with pytest.raises(Incomplete, match=r"^No record of: tests/test_a\.py::test_it$"):
        proofs.page("", tmp_path, tests)


def test_what_has_not_run_here_keeps_its_rows_and_what_has_loses_its_old_ones(tests: Path, tmp_path: Path) -> None:
    proofs.write("make soak", [PROOF], tmp_path)
    proofs.write("tests/test_a.py::test_it", [Proof("Nothing is open", "a door", 1, "shut")], tmp_path)
    before = proofs.page("", tmp_path, tests)
    proofs.forget("make soak", tmp_path)
    assert proofs.page(before, tmp_path, tests) == before
    proofs.write("make soak", [Proof("Nothing is lost", "again", 2, "x")], tmp_path)
    assert "1,000 photos" not in proofs.page(before, tmp_path, tests)


def test_what_is_proved_no_more_is_no_row(tests: Path, tmp_path: Path) -> None:
    for by in ("make soak", "tests/test_a.py::test_it", "tests/test_gone.py::test_it"):
        proofs.write(by, [Proof("Nothing is lost", by, 1, "x")], tmp_path)
    assert "test_gone" not in proofs.page("", tmp_path, tests)


def test_a_run_replaces_what_it_found_before(tests: Path, tmp_path: Path) -> None:
    proofs.write("make soak", [PROOF], tmp_path)
    proofs.forget("make soak", tmp_path)
    assert list(tmp_path.glob("*.json")) == []


def test_an_unknown_claim_is_refused() -> None:
    with pytest.raises(ValueError, match=r"A claim is one of 'Nothing is lost', .* but received 'All is well'"):
        Proof("All is well", "nothing", 0, "nothing")


def test_the_fixture_writes_what_a_test_found_and_forgets_what_it_found_before(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(proofs, "RECORDS", tmp_path)
    by = request.node.nodeid
    proofs.write(by, [PROOF], tmp_path)
    prove = request.getfixturevalue("proof")
    assert proofs.read(tmp_path) == [], "a test that fails now has proved nothing"
    prove("Nothing is lost", tried="one", times=1, found="x")
    prove("Nothing is open", tried="two", times=2, found="y")
    (record,) = proofs.read(tmp_path)
    assert (record.by, [proof.tried for proof in record.proofs]) == (by, ["one", "two"])


def test_every_command_of_the_page_is_a_target_of_make() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {command.removeprefix("make ") for command in COMMANDS} <= set(re.findall(r"^make (\w+)", listed, re.M))
