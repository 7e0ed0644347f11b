"""Deployment packages of the Lambda functions, built without Docker.

A package is built in two steps. Each step is cached in `.cache/lambda/` under the hash of its inputs:

1. The libraries in `lambda_src/<function>/requirements.txt`, pinned by hash, for the platform of the function. This
   step needs a package index, and runs only when that file or the build itself changes.
2. The libraries, the domain package (`lambda_src/photos`), and the folder of the function.

Both steps compile Python sources to bytecode that Lambda loads without compiling (see `compile_bytecode.mjs`).

`python -m stacks.support.deployment_package` builds the packages of all functions.
"""

import argparse
import compileall
import hashlib
import json
import os
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from platform import machine

from stacks.support.build_cache import build_once, source_files
from stacks.support.errors import AppError
from stacks.support.settings import Target

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "lambda_src"
CACHE = ROOT / ".cache" / "lambda"
PYTHON_VERSION = "3.13"

_COMPILER = Path(__file__).with_name("compile_bytecode.mjs")

# Tags of wheels that run on Lambda's Amazon Linux 2023 (glibc 2.34), newest first.
_WHEEL_PLATFORMS = ["manylinux_2_34_aarch64", "manylinux_2_28_aarch64", "manylinux2014_aarch64"]

# Files in wheels that no function reads: package metadata, command-line scripts, type stubs.
_UNUSED_FILES = ["*.dist-info", "bin", "**/*.pyi", "**/py.typed"]

# How functions create clients. botocore contains the models of about 400 services, half the size of a package. A
# package keeps only those of the services that a function calls.
_CLIENT = re.compile(r'client\(\s*"([a-z0-9-]+)"')


class PackagingError(AppError):
    """A deployment package could not be built."""


@dataclass(frozen=True)
class DeploymentPackage:
    """The code of a Lambda function.

    Attributes:
        folder: Folder with the function's code and libraries.
        hash: SHA-256 of everything that the package is built from.
    """

    folder: Path
    hash: str


@dataclass(frozen=True)
class _Platform:
    tag: str
    pip_options: tuple[str, ...]
    compile: Callable[[Path], bool]


def _compile_for_lambda(folder: Path) -> bool:
    node = os.environ.get("JSII_NODE", "node")
    return subprocess.run([node, _COMPILER, folder]).returncode == 0


def _compile_for_this_machine(folder: Path) -> bool:
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    return compileall.compile_dir(folder, quiet=1, invalidation_mode=mode)


_PLATFORMS: dict[Target, _Platform] = {
    "aws": _Platform(
        tag=f"lambda-arm64-{PYTHON_VERSION}",
        pip_options=(
            *(f"--platform={tag}" for tag in _WHEEL_PLATFORMS),
            f"--python-version={PYTHON_VERSION}",
            "--implementation=cp",
        ),
        compile=_compile_for_lambda,
    ),
    "local": _Platform(
        # Also the machine: the platform of a universal Python on macOS does not name the one that it runs on.
        tag=f"{sysconfig.get_platform()}-{machine()}-{sys.version_info.major}.{sys.version_info.minor}",
        pip_options=(),
        compile=_compile_for_this_machine,
    ),
}


def build_deployment_package(function: str, *, target: Target) -> DeploymentPackage:
    """Build the deployment package of `lambda_src/<function>`, or return it from the cache.

    Raises:
        PackagingError: The libraries could not be installed, or the sources do not compile.
    """
    platform = _PLATFORMS[target]
    requirements = SOURCES / function / "requirements.txt"
    # By content: functions with the same requirements share their libraries.
    services = _called_services()
    libraries_hash = _hash(platform.tag, *_build_programs(), *services, requirements.read_text())
    sources = [*source_files(SOURCES / "photos"), *source_files(SOURCES / function)]
    package_hash = _hash(libraries_hash, *sources)

    libraries = build_once(
        CACHE / f"libraries-{libraries_hash[:16]}", lambda work: _install(work, requirements, services, platform)
    )
    folder = build_once(
        CACHE / f"{function}-{package_hash[:16]}", lambda work: _assemble(work, libraries, sources, platform)
    )
    return DeploymentPackage(folder, package_hash)


def _build_programs() -> list[str | Path]:
    """Inputs that determine how packages are built: these programs and the pinned version of Pyodide."""
    names = ("deployment_package.py", "build_cache.py", _COMPILER.name)
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    return [*(ROOT / "stacks" / "support" / name for name in names), packages["node_modules/pyodide"]["integrity"]]


def _hash(*parts: str | Path) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part.read_bytes()
        name = part.relative_to(ROOT).as_posix() if isinstance(part, Path) else ""
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


def _called_services() -> list[str]:
    """Return the AWS services that the functions call, for example `s3`."""
    return sorted({name for file in SOURCES.rglob("*.py") for name in _CLIENT.findall(file.read_text())})


def _install(work: Path, requirements: Path, services: Collection[str], platform: _Platform) -> None:
    print(f"Installing the libraries of {requirements.parent.name} for {platform.tag} …", file=sys.stderr)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
    command += ["--no-deps", "--require-hashes", "--only-binary=:all:", *platform.pip_options]
    command += ["--target", str(work), "--requirement", str(requirements)]
    pip = subprocess.run(command, capture_output=True, text=True)
    if pip.returncode != 0:
        raise PackagingError(
            f"pip could not install {requirements} for {platform.tag}: {pip.stderr.strip() or 'no error message'}\n"
            "Installing needs a package index once after each change of that file."
        )
    for pattern in _UNUSED_FILES:
        for path in list(work.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for model in (work / "botocore" / "data").glob("*/"):
        if model.is_dir() and model.name not in services:
            shutil.rmtree(model)
    _compile(work, platform)


def _assemble(work: Path, libraries: Path, sources: Iterable[Path], platform: _Platform) -> None:
    shutil.copytree(libraries, work, copy_function=os.link, dirs_exist_ok=True)
    compiled = work.with_name("sources")
    for file in sources:
        if file.suffix == ".py":
            copy = compiled / file.relative_to(SOURCES)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
    _compile(compiled, platform)
    shutil.copytree(compiled, work, dirs_exist_ok=True)


def _compile(folder: Path, platform: _Platform) -> None:
    if not platform.compile(folder):
        raise PackagingError(
            f"Could not compile {folder} to bytecode for {platform.tag}. `npm ci` installs the compiler."
        )


def main() -> None:
    """Build the deployment packages of all functions for both targets, so that synthesis needs no network."""
    argparse.ArgumentParser(prog="python -m stacks.support.deployment_package", description=main.__doc__).parse_args()
    for target in _PLATFORMS:
        for handler in sorted(SOURCES.glob("*/handler.py")):
            build_deployment_package(handler.parent.name, target=target)


if __name__ == "__main__":
    try:
        main()
    except PackagingError as error:
        sys.exit(str(error))
