"""Measure the pipeline and the thumbnailer, and write tools/benchmark/results.json and docs/thumbnails.md."""

import local  # noqa: F401  # isort: skip  # must come first: finds the package photos

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, astuple, fields
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from local.console import heading, step
from photos.limits import SIZES
from tools.benchmark import BenchmarkError, pipeline
from tools.benchmark.latency_server import Latencies
from tools.benchmark.measurements import ENGINES, install_sharp, measure, measure_cold_starts
from tools.benchmark.photos import write_photos
from tools.benchmark.results import RESULTS, PipelineResult, pipeline_results, read_results
from tools.tables import replace_generated

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "thumbnails.md"

# Megapixels and batch of the pipeline's target: a photo of a phone, and a full batch of the event source mapping. Its
# first GET and its last PUT and write cannot overlap with computation, so the ratio cannot reach 1.
_TARGET_PHOTOS = 12, 5
_TARGET_RATIO = 1.4  # billed time to CPU time

Results = dict[str, Any]


def main() -> None:
    """Measure, print the results, and write them."""
    parser = argparse.ArgumentParser(prog="python -m tools.benchmark", description=__doc__)
    parser.add_argument("part", nargs="?", choices=REPORTS, help="what to measure (default: everything)")
    parser.add_argument("--rounds", type=int, default=5, help="repetitions of each measurement (default: 5)")
    parser.add_argument("--megapixels", type=float, default=12, help="photos of the thumbnailer (default: 12)")
    for latency in fields(Latencies):
        option, help_ = f"--{latency.name.replace('_', '-')}", f"latency of the pipeline (default: {latency.default})"
        parser.add_argument(option, type=float, default=latency.default, help=help_)
    parser.add_argument("--dry-run", action="store_true", help="print the results, and write no file")
    options = parser.parse_args()
    latencies = Latencies(**{latency.name: getattr(options, latency.name) for latency in fields(Latencies)})
    if options.rounds < 1 or options.megapixels <= 0 or min(astuple(latencies)) < 0:
        parser.error("--rounds must be at least 1, --megapixels more than 0, and a latency at least 0 ms")
    # The thumbnailer comes last, because it binds this process to one core.
    parts: dict[str, Callable[[], Results]] = {
        "pipeline": partial(run_pipeline, latencies, options.rounds),
        "thumbnailer": partial(run_thumbnailer, options.megapixels, options.rounds),
    }
    if sys.platform != "linux" and not options.part:
        print("Only Linux can bind the function to one core, so the pipeline is not measured.")
        del parts["pipeline"]
    measured: Results = {}
    try:
        for part in [options.part] if options.part else parts:
            measured |= parts[part]()
            print(f"\n{REPORTS[part](measured)}")
    except BenchmarkError as error:
        sys.exit(str(error))
    if latencies != Latencies():
        print("\nNothing is written, because costs are computed from results with the default latencies.")
    elif not options.dry_run:
        RESULTS.write_text(json.dumps(read_results() | measured, indent=1) + "\n")
        page = PAGE.read_text()
        for part in measured.keys() & REPORTS:
            page = insert(page, part, measured)
        PAGE.write_text(page)
        print(f"\nWrote {RESULTS.relative_to(ROOT)} and {PAGE.relative_to(ROOT)}")


def run_pipeline(latencies: Latencies, rounds: int) -> Results:
    """Measure the thumbnail function with photos and batches of several sizes.

    Raises:
        BenchmarkError: The function cannot be measured.
    """
    heading("Benchmark of the pipeline (some minutes)")
    rows: list[PipelineResult] = []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        for megapixels in pipeline.MEGAPIXELS:
            with step(f"Generate a photo of {megapixels} megapixels"):
                photo = pipeline.write_photo(Path(folder), megapixels)
            for batch in pipeline.BATCHES:
                with step(f"Measure batches of {batch}"):
                    rows += pipeline.measure_batches(photo, megapixels, batch, latencies, rounds)
            if megapixels == 12:
                with step("Measure cold starts"):
                    cold_start = pipeline.measure_cold_start(photo, latencies, rounds)
    run = {**_run(), "rounds": rounds, "cores": pipeline.cores(), "latencies": asdict(latencies)}
    return {"pipeline": [asdict(row) for row in rows], "pipeline run": run | {"cold start ms": cold_start}}


def run_thumbnailer(megapixels: float, rounds: int) -> Results:
    """Measure every engine with every format, and cold starts, on one core.

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
    results = {"megapixels": megapixels, "rounds": rounds, "sizes": SIZES, "usage": usages}
    return {"thumbnailer": {**_run(), **results, "cold start ms": cold_starts}}


def report_pipeline(results: Results) -> str:
    """Return the results of the pipeline as Markdown."""
    run = results["pipeline run"]
    groups: dict[tuple[float, int], list[PipelineResult]] = {}
    for row in pipeline_results(results):
        groups.setdefault((row.megapixels, row.batch), []).append(row)
    threads = max(row.threads for group in groups.values() for row in group)
    table = [["Photo", "Batch", "billed, ms", "CPU time, ms", "photos/s", "memory, MiB"]]
    for (megapixels, batch), group in groups.items():
        before, after = group[0], group[-1]
        table.append(
            [
                f"{megapixels:g} MP, {after.photo_bytes / 1e6:.1f} MB",
                str(batch),
                f"{before.billed_ms:.0f} ({before.ratio:.2f} ×) → {after.billed_ms:.0f} ({after.ratio:.2f} ×)",
                f"{before.cpu_ms:.0f} → {after.cpu_ms:.0f}",
                f"{before.photos_per_second:.1f} → {after.photos_per_second:.1f}",
                f"{before.peak_mib:.0f} → {after.peak_mib:.0f}",
            ]
        )
    ratio = groups[_TARGET_PHOTOS][-1].ratio
    met = "✓" if ratio <= _TARGET_RATIO else "✗"
    latencies = Latencies(**run["latencies"])
    server = "another core" if run["cores"] > 1 else "the same core, the only one of this machine"
    starts = run["cold start ms"]
    return f"""\
Batches of photos that were uploaded to S3, processed one at a time → {threads} at a time, in the same run. The
thumbnail function runs on one core, from its deployment package, and a server on {server} stands in for AWS,
with the latencies of a region: {latencies}.
Warm, the fastest of {run["rounds"]} rounds. Measured on {run["date"]}: {run["machine"]}.

{_table(table)}

- **billed** is the elapsed time of an invocation for each photo, in brackets relative to its CPU time. 1.00 × is the
  cost of the computation alone; everything above it is paid for waiting.
- **CPU time** for each photo, and **memory** at its peak, are those of the function plus its decoder process.
- **Target:** batches of five photos of 12 megapixels are billed for at most {_TARGET_RATIO} × their CPU
  time: {ratio:.2f} × {met}
- **Cold start:** {starts["init"]} ms until the function is ready, then {starts["first photo"]} ms for a photo of
  12 megapixels."""


def report_thumbnailer(results: Results) -> str:
    """Return the results of the thumbnailer as Markdown."""
    results = results["thumbnailer"]
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


REPORTS = {"pipeline": report_pipeline, "thumbnailer": report_thumbnailer}


def insert(page: str, part: str, results: Results) -> str:
    """Return the page with the report of a part between its markers."""
    return replace_generated(page, REPORTS[part](results), command=f"python -m tools.benchmark {part}")


def _run() -> Results:
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
    }


def _table(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in lines)


if __name__ == "__main__":
    main()
