"""The JSON file of a comparison."""

from pathlib import Path

from operations.compare.measurement import Comparison


def test_read_comparison_equals_written_one(comparison: Comparison, tmp_path: Path) -> None:
    comparison.write(tmp_path / "results.json")
    assert Comparison.read(tmp_path / "results.json") == comparison
    assert comparison.photos == 10
