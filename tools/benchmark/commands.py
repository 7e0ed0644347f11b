"""Measure everyday commands: `cdk synth` of all stacks against an app with one bucket, and the steps of `make demo`."""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

from operations.cdk import cdk_environment, cdk_json_context
from stacks.support.settings import Settings

ROOT = Path(__file__).parents[2]

TARGET = 1.8
"""The highest ratio of the wall-clock times of the two apps that is worth having, on an idle machine."""

_ONE_BUCKET = """
from aws_cdk import App, Stack
from aws_cdk.aws_s3 import Bucket

app = App()
Bucket(Stack(app, "Stack"), "Bucket")
app.synth()
"""

# The last step before `make local` prints the URLs.
_UP = "cdk deploy --all"


class Times(NamedTuple):
    """Seconds of a command: on the wall clock, and of the processor in all its processes."""

    wall: float
    cpu: float


def synth_times(rounds: int) -> tuple[list[Times], list[Times]]:
    """Synthesize all stacks, and an app with one bucket and the same feature flags, in turn.

    Args:
        rounds: Counted runs of each app. A run before them fills the caches.

    Returns:
        The times of all stacks, and those of the app with one bucket.
    """
    flags = {key: value for key, value in cdk_json_context().items() if not hasattr(Settings, key)}
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        (Path(name) / "app.py").write_text(_ONE_BUCKET)
        cdk_json = json.loads((ROOT / "cdk.json").read_text())
        (Path(name) / "cdk.json").write_text(json.dumps({**cdk_json, "context": flags}))
        apps = ROOT, Path(name)
        runs = [
            [_run_synth(app, Path(name) / str(number)) for number, app in enumerate(apps)] for _ in range(rounds + 1)
        ]
    ours, one_bucket = zip(*runs[1:], strict=True)
    return list(ours), list(one_bucket)


def _run_synth(app: Path, output: Path) -> Times:
    start, before = time.monotonic(), os.times()
    command = [str(ROOT / "node_modules" / ".bin" / "cdk"), "synth", "--quiet", "--output", str(output)]
    subprocess.run(command, cwd=app, env=cdk_environment(), check=True, capture_output=True)
    after = os.times()
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return Times(time.monotonic() - start, cpu)


def demo_steps() -> list[tuple[str, float]]:
    """Run the demo, and return its steps with their seconds."""
    command = [sys.executable, "-m", "local", "demo"]
    return printed_steps(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout)


def printed_steps(output: str) -> list[tuple[str, float]]:
    """Return the steps that succeeded, with their seconds, from the output of a sandbox command."""
    return [(step, float(seconds)) for step, seconds in re.findall(r"^  ✓ (.+) \(([\d.]+) s\)$", output, re.M)]


def main() -> None:
    """Measure, and print the results."""
    parser = argparse.ArgumentParser(prog="python -m tools.benchmark.commands", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="runs of `cdk synth` (default: 5)")
    rounds = parser.parse_args().rounds
    try:
        _report(rounds)
    except subprocess.CalledProcessError as error:
        sys.exit(f"`{' '.join(error.cmd)}` failed. Run it alone to see why.")


def _report(rounds: int) -> None:
    ours, one_bucket = synth_times(rounds)
    print(f"cdk synth, medians of {rounds} rounds (the target of the first ratio is {TARGET}, on an idle machine):")
    for unit in Times._fields:
        all_stacks, bucket = ([getattr(times, unit) for times in runs] for runs in (ours, one_bucket))
        ratio = median(a / b for a, b in zip(all_stacks, bucket, strict=True))
        medians = f"{median(all_stacks):.1f} s of all stacks, {median(bucket):.1f} s of one bucket"
        print(f"  {unit:4} {medians}: {ratio:.2f} ×")
    steps = demo_steps()
    up = [name for name, _ in steps].index(_UP) + 1
    for title, part in (("make local until everything is up", steps[:up]), ("make demo after that", steps[up:])):
        print(f"{title}: {sum(seconds for _, seconds in part):.1f} s")
        for name, seconds in part:
            print(f"  {seconds:5.1f} s  {name}")


if __name__ == "__main__":
    main()
