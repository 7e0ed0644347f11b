"""Measure the thumbnailer. Prints the tables, and keeps them as JSON and as plots."""

import argparse
import json
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "lambda_src"))

from bench import cost, pictures, plot, processes, speed  # noqa: E402
from local.console import headline, step  # noqa: E402

SHARP = "sharp@0.35.5"
MEGAPIXELS = 24


def main() -> None:
    """Measure everything and tell."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--no-sharp", action="store_true", help="do not fetch sharp from npm to compare with")
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "results", help="for JSON and plots")
    options = parser.parse_args()

    headline("About three minutes of measuring")
    with tempfile.TemporaryDirectory(prefix="thumbnail-bench-") as name:
        folder = Path(name)
        with step("sharp from npm"):
            sharp = None if options.no_sharp else _installed_sharp(folder)
        with step("cold start"):
            start = processes.cold_start()
        with step("memory"):
            memory = processes.memory(pictures.write_memory_pictures(folder, MEGAPIXELS), MEGAPIXELS)
            largest = processes.peak(pictures.write_large_jpeg(folder))
        with step("speed"):
            times = speed.measure(pictures.write_speed_pictures(folder), sharp)
    needed = max(float(row["at the limit MiB"]) for row in memory.values())
    costs = cost.table(times["JPEG"]["both"]["this project"], needed)

    for sizes, label in (("256", "256 px alone"), ("both", "256 px and 1024 px")):
        _heading(f"Speed: 12 megapixels, {label}, one core; ms (times the floor)")
        if not sharp:
            print("sharp is not here (it needs node, npm and a network), so it was not measured.")
        for format_, table in times.items():
            row = [f"{engine} {ms:.0f} ({ms / table[sizes]['floor']:.2f})" for engine, ms in table[sizes].items()]
            _row(format_, row, 26)
    _heading(f"Memory: peak of a fresh process over the interpreter, {MEGAPIXELS} MP of the worst kind")
    for format_, kinds in memory.items():
        _row(format_, [f"{key} {_short(value)}" for key, value in kinds.items()], 0)
    print("HEIC is not here, for nothing here writes it: 14 bytes a pixel when measured with pillow-heif.")
    print(f"48-megapixel baseline JPEG: {largest:.0f} MiB. Largest at any limit: {needed:.0f} MiB.")
    _heading("Cold start: ms over an empty Python")
    for what, ms in start.items():
        print(f"{what:<34}{ms:6.0f}")
    _heading("Lambda memory settings: one 12-megapixel JPEG, both sizes (a model: see bench/cost.py)")
    for setting in costs:
        print("  ".join(f"{key} {_short(value)}" for key, value in setting.items()))

    options.out.mkdir(parents=True, exist_ok=True)
    result = {
        "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
        "speed ms": times,
        "memory": memory,
        "48 MP baseline JPEG MiB": largest,
        "cold start ms": start,
        "cost": costs,
    }
    (options.out / "bench.json").write_text(json.dumps(result, indent=1) + "\n")
    for sizes in speed.SIZES:
        (options.out / f"speed-{sizes}.svg").write_text(plot.svg(times, sizes))
    print(f"\nKept in {options.out}: bench.json, " + ", ".join(f"speed-{sizes}.svg" for sizes in speed.SIZES))


def _installed_sharp(folder: Path) -> Path | None:
    """The folder that sharp was installed in, if that was possible."""
    if not shutil.which("npm") or not shutil.which("node"):
        return None
    install = ["npm", "install", "--silent", "--no-fund", "--no-audit", f"--prefix={folder}", SHARP]
    done = subprocess.run(install, capture_output=True, check=False)
    return folder if done.returncode == 0 else None


def _heading(text: str) -> None:
    print(f"\n{text}\n{'─' * len(text)}")


def _row(name: str, cells: Sequence[str], width: int) -> None:
    print(f"{name:<18}" + ("" if width else "  ").join(f"{cell:<{width}}" for cell in cells))


def _short(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main()
