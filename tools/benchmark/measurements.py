"""Measures the engines, each in a new process, and the cold start of the function."""

import json
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from photos.limits import SIZES
from stacks.support.deployment_package import build_deployment_package
from tools.benchmark import BenchmarkError, engines

ROOT = Path(__file__).parents[2]
SHARP = "sharp@0.35.5"
ENGINES = (*engines.ENGINES, "sharp")
_NOT_IN_SHARP = ("BMP", "HEIC")  # https://sharp.pixelplumbing.com/install: the prebuilt libvips has no decoder for them


class Usage(NamedTuple):
    """CPU time and memory that an engine uses for the thumbnails of one photo.

    Attributes:
        ms: CPU time in milliseconds.
        mib: Peak memory in MiB, without that of the empty interpreter.
    """

    ms: float
    mib: float


def install_sharp(folder: Path) -> None:
    """Install sharp from the npm registry into a folder.

    Raises:
        BenchmarkError: npm cannot install sharp.
    """
    quiet = ["--no-fund", "--no-audit", "--no-update-notifier", "--loglevel=error"]
    install = [_node_program("npm"), "install", *quiet, f"--prefix={folder}", SHARP]
    try:
        ended = subprocess.run(install, capture_output=True, text=True)
    except OSError as error:
        raise BenchmarkError(f"sharp cannot be measured: {error}") from error
    if ended.returncode:
        reason = (ended.stderr.strip().splitlines() or ["npm failed"])[0]
        raise BenchmarkError(f"sharp cannot be measured, because npm cannot install {SHARP}: {reason}")


def measure(photo: Path, sharp_folder: Path, rounds: int) -> dict[str, Usage]:
    """Measure all engines that support the format of a photo, in turns, so that other load affects all of them.

    Args:
        photo: File to make thumbnails of, in all configured sizes. Its name is the format.
        sharp_folder: Folder that sharp is installed in.
        rounds: Number of measurements of each engine.

    Returns:
        Medians by engine.

    Raises:
        BenchmarkError: An engine failed.
    """
    measured: dict[str, list[Usage]] = {
        engine: [] for engine in ENGINES if engine != "sharp" or photo.name not in _NOT_IN_SHARP
    }
    for _ in range(rounds):
        for engine, usages in measured.items():
            usages.append(_measure_once(engine, photo, sharp_folder))
    return {
        engine: Usage(*(statistics.median(values) for values in zip(*usages, strict=True)))
        for engine, usages in measured.items()
    }


def _measure_once(engine: str, photo: Path, sharp_folder: Path) -> Usage:
    if engine == "sharp":
        script = Path(__file__).with_name("sharp.cjs")
        command: list[str | Path] = [_node_program("node"), script, sharp_folder, photo, *map(str, SIZES)]
    else:
        program = "import sys; from tools.benchmark.engines import main; main(*sys.argv[1:])"
        command = [sys.executable, "-c", program, engine, photo]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'lambda_src'}"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    if ended.returncode:
        reason = next((line for line in reversed(ended.stderr.splitlines()) if "Error" in line), "no message")
        raise BenchmarkError(f"{engine} cannot be measured with {photo.name}: {reason}")
    return Usage(**json.loads(ended.stdout))


def _node_program(name: str) -> str:
    """Return the path of node or npm in the virtual environment. Another one on PATH might not start."""
    return str(Path(sys.executable).with_name(name))


# A GIF of one pixel.
_PIXEL = b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"

_COLD_STARTS = {
    "Python": "",
    "a client of S3": "from botocore.session import get_session; get_session().create_client('s3')",
    "the thumbnail function with its decoder process": (
        "from thumbnail.handler import _decoder as decoder; "
        f"decoder.make_thumbnails(bytes.fromhex({_PIXEL.hex()!r})); decoder.close()"
    ),
}
FUNCTION_ENVIRONMENT = {"AWS_DEFAULT_REGION": "us-east-1", "RETRY_SECONDS": "0"} | dict.fromkeys(
    (
        *("ORIGINALS_BUCKET", "THUMBNAILS_BUCKET", "CATALOGUE_TABLE", "UPLOAD_QUEUE_URL"),
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    ),
    "none",
)


def measure_cold_starts(rounds: int) -> dict[str, float]:
    """Measure starts with the deployment package of the thumbnail function, and nothing else, on the module path.

    Returns:
        Median CPU time in milliseconds by what starts, without the start of Python.
    """
    package = build_deployment_package("thumbnail", target="local").folder
    times: dict[str, list[float]] = {name: [] for name in _COLD_STARTS}
    for _ in range(rounds + 1):
        for name, code in _COLD_STARTS.items():
            times[name].append(_cold_start_ms(f"import sys; sys.path.insert(0, {str(package)!r}); {code}"))
    medians = {name: statistics.median(values[1:]) for name, values in times.items()}
    python = medians.pop("Python")
    return {name: median - python for name, median in medians.items()}


def _cold_start_ms(program: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-I", "-S", "-B", "-c", program], env=FUNCTION_ENVIRONMENT, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
