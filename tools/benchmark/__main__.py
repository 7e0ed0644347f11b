"""Measure the thumbnailer. Prints the tables, and keeps them as JSON and as plots."""

import argparse
import json
import platform
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "lambda_src"))

from local.console import heading, step  # noqa: E402
from tools.benchmark import cold_start, cost, memory, page, pictures, plot, sharp, speed  # noqa: E402
from tools.benchmark.heic import Heic  # noqa: E402

DOCS = ROOT / "docs" / "thumbnails.md"
RESULTS = ROOT / "tools/benchmark" / "results"
MEGAPIXELS = 24


def main() -> None:
    """Measure everything and tell."""
    parser = argparse.ArgumentParser(prog="python -m tools/benchmark", description=__doc__)
    parser.add_argument("--no-fetch", action="store_true", help="without sharp and HEIC, which need packages fetched")
    parser.add_argument(
        "--out", type=Path, default=RESULTS, help="for JSON and plots; docs/thumbnails.md is of the default"
    )
    options = parser.parse_args()

    result = _measured(fetch=not options.no_fetch)
    for name, table in page.tables(result).items():
        heading(name.capitalize())
        print(table)

    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "bench.json").write_text(json.dumps(result, indent=1) + "\n")
    for sizes, title in page.SIZES.items():
        (options.out / f"speed-{sizes}.svg").write_text(plot.svg(result["speed ms"], sizes, title))
    print(f"\nKept in {options.out}: bench.json, " + ", ".join(f"speed-{sizes}.svg" for sizes in speed.SIZES))
    if options.out == RESULTS:
        DOCS.write_text(page.with_tables(DOCS.read_text(), result))
    if missed := page.missed(result):
        sys.exit("Missed: " + "; ".join(missed))


def _measured(*, fetch: bool) -> dict[str, Any]:
    heading("About six minutes of measuring")
    with tempfile.TemporaryDirectory(prefix="thumbnail-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        with step("cold start"):
            start = cold_start.measure(folder)
        with step("a writer of HEIC, from the package index") as proved:
            heic = Heic.fetched(folder / "heic") if fetch else None
            proved += [] if heic else ["not here, so HEIC is not measured"]
        with step("sharp, from npm") as proved:
            sharp_folder = folder if fetch and sharp.is_fetched(folder) else None
            proved += [] if sharp_folder else ["not here, so not measured"]
        with step("memory"):
            rows = memory.measure(pictures.write_hardest(folder, MEGAPIXELS, heic), sharp_folder)
            large = memory.peaks(pictures.write_large_jpeg(folder), sharp_folder)
        written = pictures.write_speed_pictures(folder, heic)
        speed.on_one_core()
        with step("speed"):
            rival = stack.enter_context(sharp.running(sharp_folder)) if sharp_folder else None
            times = speed.measure(written, rival)
    return {
        "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
        "speed ms": times,
        "memory": rows,
        "48 MP baseline JPEG MiB": large,
        "cold start ms": start,
        "cost": cost.table(times["JPEG"]["both"]["this project"]),
    }


if __name__ == "__main__":
    main()
