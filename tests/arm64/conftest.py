"""Python 3.13 for arm64 from Debian packages, which qemu runs on this machine.

The packages are unpacked instead of installed, which would take minutes under qemu.
"""

import hashlib
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from stacks.support.build_cache import build_once

CACHE = Path(__file__).parents[2] / ".cache" / "arm64"

# Graviton2. qemu computes the pointer authentication of its default processor, which is seven times slower.
CPU = "neoverse-n1"

# Debian 13 (trixie) has the Python of the Lambda functions and of the base image. AVIF and HEIC need libstdc++, which
# is in both: the runtime interface client of Lambda and Debian's apt are written in C++. `RUN` needs a shell.
_PACKAGES = ("python3.13", "libstdc++6", "python3-pip", "ca-certificates", "dash", "coreutils", "findutils")
_SOURCE = (
    "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main\n"
    "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian-security "
    "trixie-security main\n"
)


def require(*programs: str) -> None:
    """Skip the test unless all these programs are installed and this machine has another architecture."""
    if platform.machine() != "x86_64":
        pytest.skip(f"compares arm64 with x86_64, but this machine is {platform.machine()}")
    if missing := [program for program in programs if not shutil.which(program)]:
        pytest.skip(f"not installed: {', '.join(missing)}")


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root folder of a Debian system for arm64."""
    require("apt-get", "dpkg-deb", "qemu-aarch64-static")
    key = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    packages = build_once(CACHE / f"debian-{key[:16]}", _download)
    root = tmp_path_factory.mktemp("arm64")
    for name in ("bin", "lib", "sbin"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    for package in sorted(packages.glob("*.deb")):
        subprocess.run(["dpkg-deb", "--extract", package, root], check=True)
    return root


def _download(work: Path) -> None:
    """Download the packages and their dependencies. Changes nothing in the package manager of this machine."""
    apt = work / "apt"
    for folder in ("lists/partial", "archives/partial", "etc/apt.conf.d", "etc/preferences.d"):
        (apt / folder).mkdir(parents=True)
    (apt / "status").touch()
    (apt / "etc/sources.list").write_text(_SOURCE)
    options = {
        "Dir::Etc": apt / "etc",
        "Dir::Etc::SourceParts": "-",
        "Dir::State::Lists": apt / "lists",
        "Dir::State::Status": apt / "status",
        "Dir::Cache": apt,
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "",
        "Acquire::Languages": "none",
        "Debug::NoLocking": "true",
    }
    command = ["apt-get", "--quiet=2", *(f"--option={name}={value}" for name, value in options.items())]
    for arguments in (["update", "--error-on=any"], ["install", "--yes", "--download-only", *_PACKAGES]):
        run = subprocess.run([*command, *arguments], capture_output=True, text=True)
        if run.returncode != 0:
            pytest.skip(f"Debian's packages for arm64 are not available: {run.stderr.strip()}")
    for package in (apt / "archives").glob("*.deb"):
        package.rename(work / package.name)
    shutil.rmtree(apt)
