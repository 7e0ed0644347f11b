"""The audit fails on known vulnerabilities, and reports when it could not check."""

import sys
from pathlib import Path
from typing import Any

import pytest

from tools import audit as module
from tools.audit import audit, summarize

_GOOD = {"name": "urllib3", "version": "2.8.0", "vulns": []}
_BAD = {"name": "pillow", "version": "9.0.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["9.0.1"], "aliases": []}]}
_SKIPPED = {"name": "boto3", "skip_reason": "Dependency not found on PyPI and could not be audited: boto3"}


@pytest.mark.parametrize(
    ("libraries", "vulnerable", "expected"),
    [
        ([_GOOD, _BAD], True, ["pillow 9.0.0: PYSEC-1, fixed in 9.0.1", "1 of 2 deployed"]),
        ([_GOOD, _SKIPPED], False, ["0 of 1 deployed", "does not list 1 more"]),
        ([_SKIPPED], False, ["not checked"]),
    ],
    ids=["vulnerable", "one skipped", "all skipped"],
)
def test_summary_names_vulnerable_and_skipped_libraries(
    libraries: list[dict[str, Any]], vulnerable: bool, expected: list[str]
) -> None:
    lines, failed = summarize({"dependencies": libraries, "fixes": []})
    assert failed is vulnerable
    assert all(text in "\n".join(lines) for text in expected)


@pytest.mark.parametrize(("library", "status"), [(_BAD, 1), (_GOOD, 0)], ids=["vulnerable", "not vulnerable"])
def test_vulnerability_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], library: dict[str, Any], status: int
) -> None:
    monkeypatch.setattr("sys.argv", ["audit"])
    monkeypatch.setattr(module, "audit", lambda _: {"dependencies": [library], "fixes": []})
    with pytest.raises(SystemExit) as end:
        module.main()
    assert end.value.code == status
    printed = capsys.readouterr()
    assert (bool(printed.err), bool(printed.out)) == (status == 1, status == 0)


@pytest.mark.parametrize("command", [("-c", "import sys; sys.exit('no network')"), ("-c", "print('{')")])
def test_audit_without_a_report_returns_nothing(command: tuple[str, ...]) -> None:
    assert audit([], (sys.executable, *command)) is None
    assert audit([], ("missing-program",)) is None
    assert summarize(None)[1] is False


def test_every_file_is_audited_with_its_hashes(tmp_path: Path) -> None:
    files = [tmp_path / "a.txt", tmp_path / "b.txt"]
    report = audit(files, (sys.executable, "-c", "import json, sys; print(json.dumps({'arguments': sys.argv[1:]}))"))
    assert report is not None
    assert "--require-hashes" in report["arguments"]
    assert report["arguments"].count("--requirement") == len(files)
    assert {str(file) for file in files} <= set(report["arguments"])
