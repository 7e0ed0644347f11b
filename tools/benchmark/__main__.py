"""Measure the thumbnailer, and write the results to tools/benchmark/results.json and docs/thumbnails.md."""

import argparse
import json
import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "lambda_src"))

from local.console import heading, step  # noqa: E402
from photos.limits import SIZES  # noqa: E402
from tools.benchmark import BenchmarkError  # noqa: E402
from tools.benchmark.measurements import ENGINES, install_sharp, measure, measure_cold_starts  # noqa: E402
from tools.benchmark.photos import write_photos  # noqa: E402

RESULTS = Path(__file__).with_name("results.json")
PAGE = ROOT / "docs" / "thumbnails.md"
BEGIN, END = "<!-- begin: written by `make bench` -->", "<!-- end: written by `make bench` -->"

Results = dict[str, Any]


def main() -> None:
    """Measure, print the results, and write them."""
    parser = argparse.ArgumentParser(prog="python -m tools.benchmark", description=__doc__)
    parser.add_argument("--megapixels", type=float, default=12, help="size of each photo (default: 12)")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each engine (default: 5)")
    parser.add_argument("--dry-run", action="store_true", help="print the results, and write no file")
    options = parser.parse_args()
    try:
        results = run(options.megapixels, options.rounds)
    except BenchmarkError as error:
        sys.exit(str(error))
    print(f"\n{report(results)}")
    if not options.dry_run:
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        PAGE.write_text(insert(PAGE.read_text(), report(results)))
        print(f"\nWrote {RESULTS.relative_to(ROOT)} and {PAGE.relative_to(ROOT)}")


def run(megapixels: float, rounds: int) -> Results:
    """Measure everything on one core.

    Raises:
        BenchmarkError: An engine cannot be measured.
    """
    heading("Benchmark of the thumbnailer (some minutes)")
    if hasattr(os, "sched_getaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder, usages = Path(name), {}
        with step("Install sharp from npm"):
            install_sharp(folder)
        with step("Generate the photos"):
            photos = write_photos(folder, megapixels)
        for format_, photo in photos.items():
            with step(f"Measure {format_}"):
                usages[format_] = {name: usage._asdict() for name, usage in measure(photo, folder, rounds).items()}
    with step("Measure cold starts"):
        cold_starts = measure_cold_starts(rounds)
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
        "megapixels": megapixels,
        "rounds": rounds,
        "sizes": SIZES,
        "usage": usages,
        "cold start ms": cold_starts,
    }


def report(results: Results) -> str:
    """Return the results as Markdown."""
    sizes = " and ".join(map(str, results["sizes"]))
    rows = [["Format", *(f"{engine}, ms" for engine in ENGINES), *(f"{engine}, MiB" for engine in ENGINES[1:])]]
    for format_, usages in results["usage"].items():
        decoder = usages[ENGINES[0]]["ms"]
        times = [
            f"{usages[it]['ms']:.0f} ({usages[it]['ms'] / decoder:.1f} ×)" if it in usages else "–" for it in ENGINES
        ]
        peaks = [f"{usages[it]['mib']:.0f}" if it in usages else "–" for it in ENGINES[1:]]
        rows.append([format_, *times, *peaks])
    table = _table(rows)
    starts = "; ".join(f"{name} {ms:.0f} ms" for name, ms in results["cold start ms"].items())
    photo = f"{results['megapixels']:g}-megapixel photo"
    return f"""\
Thumbnails of {sizes} pixels from one {photo}: CPU time, in brackets relative to the decoder alone,
and peak memory beyond an empty interpreter. Medians of {results["rounds"]} rounds, one core.
Measured on {results["date"]}: {results["machine"]}.

{table}

Cold start, CPU time beyond the start of Python: {starts}."""


def insert(page: str, text: str) -> str:
    """Return the page with this text between its two marks.

    Raises:
        ValueError: A mark is missing.
    """
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"the page does not contain the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{text}\n\n{END}{after}"


def _table(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in lines)


if __name__ == "__main__":
    main()
