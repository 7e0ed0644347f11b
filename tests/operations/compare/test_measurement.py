"""The JSON file of a comparison."""

from pathlib import Path

from operations.compare.measurement import OPTIONS, Comparison, Measurement


def test_read_comparison_equals_written_one(tmp_path: Path) -> None:
    measurements = {
        option: Measurement(
            option=option,
            ready=8,
            rejected=2,
            thumbnails=16,
            calls_per_photo={"s3:GetObject": 1.1, "dynamodb:PutItem": 1.0},
            cpu_seconds_per_photo=0.07,
            peak_bytes=150_000_000,
        )
        for option in OPTIONS
    }
    comparison = Comparison(
        date="2026-11-28",
        target="sandbox",
        machine="x86_64, Linux, Python 3.13.5",
        files={"JPEG": 8, "not an image": 2},
        bytes_per_photo=300_000.5,
        measurements=measurements,
    )
    comparison.write(tmp_path / "results.json")
    assert Comparison.read(tmp_path / "results.json") == comparison
    assert comparison.photos == 10
