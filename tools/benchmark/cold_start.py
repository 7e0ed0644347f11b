"""What the thumbnailer's function takes to start, beside a function that only has boto3 and a client of S3.

Its real bundle, for this machine, by way of a zip as Lambda takes it: files dated 1980, in a folder that cannot be
written to. Each start is a fresh process with nothing but the bundle on its path.
"""

import os
import resource
import statistics
import subprocess
import sys
import time
import zipfile
from pathlib import Path

from stacks.support.deployment_package import build_deployment_package

ROUNDS = 9
BASE, HANDLER = "boto3 and one S3 client", "the handler, ready"
_STARTS = {
    "": "",  # Python alone
    BASE: "import boto3; boto3.client('s3')",
    "boto3, clients of S3 and DynamoDB": "import boto3; boto3.client('s3'); boto3.client('dynamodb')",
    "imaging alone": "import photos.imaging",
    HANDLER: "import thumbnail.handler",
}
_1980 = (1980, 1, 1, 0, 0, 0)
_SETTINGS = ("ORIGINALS_BUCKET", "THUMBNAILS_BUCKET", "CATALOGUE_TABLE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_ENVIRONMENT = {"AWS_DEFAULT_REGION": "eu-central-1"} | dict.fromkeys(_SETTINGS, "none")


def measure(folder: Path) -> dict[str, float]:
    """CPU milliseconds over an empty Python, medians; of which the first is to compare with."""
    task = _as_lambda_has_it(build_deployment_package("thumbnail", target="local").folder, folder)
    taken: dict[str, list[float]] = {name: [] for name in _STARTS}
    for _ in range(ROUNDS + 1):
        for name, code in _STARTS.items():
            taken[name].append(_start(task, code))
    medians = {name: statistics.median(times[1:]) for name, times in taken.items()}
    empty = medians.pop("")
    return {name: median - empty for name, median in medians.items()}


def _as_lambda_has_it(bundle: Path, folder: Path) -> Path:
    """`bundle`, packed and unpacked again under `folder`."""
    package, task = folder / "bundle.zip", folder / "task"
    with zipfile.ZipFile(package, "w") as archive:
        for path in sorted(bundle.rglob("*")):
            if path.is_file():
                name = path.relative_to(bundle).as_posix()
                archive.writestr(zipfile.ZipInfo(name, _1980), path.read_bytes(), zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(package) as archive:
        for member in archive.infolist():
            file = Path(archive.extract(member, task))
            seconds = time.mktime((*member.date_time, 0, 0, -1))
            os.utime(file, (seconds, seconds))
            file.chmod(0o444)
    return task


def _start(task: Path, code: str) -> float:
    """CPU milliseconds of a process that runs `code` and ends."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # -I and -S: nothing but `task` is on the path. -B, for root may write to what is read-only.
    program = f"import sys; sys.path.insert(0, {str(task)!r}); {code}"
    subprocess.run([sys.executable, "-I", "-S", "-B", "-c", program], env=_ENVIRONMENT, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
