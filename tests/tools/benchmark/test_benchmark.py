"""The benchmark measures every engine that it promises, or fails with one line."""

from pathlib import Path
from typing import Any

import pytest

from tools.benchmark import BenchmarkError, measurements
from tools.benchmark.__main__ import PAGE, REPORTS, insert, main
from tools.benchmark.results import read_results

SAMPLES = Path(__file__).parents[3] / "samples"


def test_missing_npm_fails_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurements, "_node_program", lambda name: f"/missing/{name}")
    monkeypatch.setattr("sys.argv", ["benchmark", "thumbnailer", "--dry-run"])
    monkeypatch.setattr("os.sched_setaffinity", lambda *_: None, raising=False)
    with pytest.raises(SystemExit) as ended:
        main()
    assert str(ended.value.code).startswith("sharp cannot be measured")
    assert "\n" not in str(ended.value.code)


def test_failing_engine_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurements, "ENGINES", ("sharp",))
    (tmp_path / "JPEG").write_bytes((SAMPLES / "rocket.jpg").read_bytes())
    with pytest.raises(BenchmarkError, match=r"^sharp cannot be measured with JPEG: Error: Cannot find module"):
        measurements.measure(tmp_path / "JPEG", sharp_folder=tmp_path, rounds=1)


@pytest.mark.slow
def test_python_engines_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurements, "_NOT_IN_SHARP", ("rocket-tiles.heic",))
    usages = measurements.measure(SAMPLES / "rocket-tiles.heic", sharp_folder=Path(), rounds=1)
    assert usages.keys() == {"decoder alone", "this project", "stock Pillow"}
    assert all(usage.ms > 0 and usage.mib > 0 for usage in usages.values())


def test_report_replaces_the_previous_one_in_the_page() -> None:
    usage = {"decoder alone": {"ms": 50, "mib": 20}, "this project": {"ms": 100, "mib": 31}}
    results: dict[str, Any] = {"usage": {"JPEG": usage}, "cold start ms": {"the handler": 250}}
    results |= {"date": "", "machine": "", "megapixels": 12, "rounds": 5, "sizes": [64, 2048]}
    page = insert(PAGE.read_text(), "thumbnailer", {"thumbnailer": results})
    assert "| 100 (2.0 ×) " in page and "| 31 " in page
    assert insert(page, "thumbnailer", {"thumbnailer": results}) == page


def test_page_shows_the_committed_results() -> None:
    page = PAGE.read_text()
    for part in REPORTS:
        assert insert(page, part, read_results()) == page, "Run: make bench"
