"""The check for known faults of libraries: tells those it finds, and never takes silence for a good answer."""

import json
import sys
from pathlib import Path

import pytest

from tools import audit as module
from tools.audit import audit, told

_GOOD = {"name": "urllib3", "version": "2.8.0", "vulns": []}
_BAD = {"name": "pillow", "version": "9.0.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["9.0.1"], "aliases": []}]}
_UNKNOWN = {"name": "boto3", "skip_reason": "Dependency not found on PyPI and could not be audited: boto3"}


def test_a_fault_is_told_and_fails() -> None:
    lines, faulty = told({"dependencies": [_GOOD, _BAD], "fixes": []})
    assert faulty
    assert lines == [
        "pillow 9.0.0: PYSEC-1, mended in 9.0.1",
        "Of 2 deployed libraries 1 have known faults.",
    ]


def test_faults_go_where_errors_go(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["audit"])
    for library, status in ((_BAD, 1), (_GOOD, 0)):
        monkeypatch.setattr(module, "audit", lambda _, library=library: {"dependencies": [library], "fixes": []})
        with pytest.raises(SystemExit) as end:
            module.main()
        assert end.value.code == status
        written = capsys.readouterr()
        assert bool(written.err) is (status == 1)
        assert bool(written.out) is (status == 0)


def test_no_fault_is_told_too() -> None:
    lines, faulty = told({"dependencies": [_GOOD, _UNKNOWN], "fixes": []})
    assert not faulty
    assert lines == ["Of 1 deployed libraries 0 have known faults. PyPI does not know 1 more."]


@pytest.mark.parametrize("report", [None, {"dependencies": [_UNKNOWN], "fixes": []}])
def test_nobody_to_ask_is_one_line_and_no_failure(report: dict[str, list[dict[str, str]]] | None) -> None:
    lines, faulty = told(report)
    assert not faulty
    assert lines == ["Not checked for known faults of libraries: PyPI does not answer from here, or knows nothing."]


@pytest.mark.parametrize("program", ["import sys; sys.exit('no network')", "print('{')"])
def test_a_check_that_ends_without_a_report_has_asked_nobody(program: str) -> None:
    assert audit([], (sys.executable, "-c", program)) is None
    assert audit([], ("program-that-is-not-here",)) is None


def test_every_file_is_asked_about_with_its_hashes(tmp_path: Path) -> None:
    files = [tmp_path / "a.txt", tmp_path / "b.txt"]
    report = audit(files, (sys.executable, "-c", "import json, sys; print(json.dumps({'arguments': sys.argv[1:]}))"))
    assert report is not None
    assert "--require-hashes" in report["arguments"]
    assert json.dumps(report["arguments"]).count("--requirement") == len(files)
    assert {str(file) for file in files} <= set(report["arguments"])
