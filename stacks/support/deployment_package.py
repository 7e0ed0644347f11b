"""Deployment packages of the Lambda functions, built without Docker.

`python -m stacks.support.deployment_package` builds all of them.

Two steps, each cached under `.cache/lambda/` by what goes into it:

1. the libraries of `lambda_src/<function>/requirements.txt`, pinned by hash, for the platform of the function:
   the only step that needs the network, and only after a change of that file;
2. those, the domain (`lambda_src/photos`) and the function's own folder.

Both are compiled to byte code that Lambda takes as it is (see `bytecode/compile.mjs`).
"""

import argparse
import compileall
import hashlib
import os
import py_compile
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from stacks.support import build_cache
from stacks.support.build_cache import files_in, made_once
from stacks.support.errors import AppError
from stacks.support.settings import Target

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SOURCES = ROOT / "lambda_src"
CACHE = ROOT / ".cache" / "lambda"
PYTHON_VERSION = "3.13"

# The tags of wheels that run on Lambda's Amazon Linux 2023 (glibc 2.34), newest first.
_LAMBDA_WHEELS = ["manylinux_2_34_aarch64", "manylinux_2_28_aarch64", "manylinux2014_aarch64"]

# What wheels carry and a function never reads: package metadata, command-line scripts, type stubs.
_NOT_NEEDED = ["*.dist-info", "bin", "**/*.pyi", "**/py.typed"]

# The services that functions here call. boto3 knows 400 more, and half of a bundle would be their models.
_AWS_SERVICES = ["batch", "codebuild", "dynamodb", "ecr", "lambda", "s3", "sqs"]


class BundleError(AppError):
    """A bundle could not be made."""


@dataclass(frozen=True)
class _Platform:
    tag: str
    pip_options: tuple[str, ...]
    compile: Callable[[Path], bool]


def _compile_for_lambda(folder: Path) -> bool:
    node = os.environ.get("JSII_NODE", "node")
    script = HERE / "bytecode" / "compile.mjs"
    return subprocess.run([node, script, folder]).returncode == 0


def _compile_for_this_machine(folder: Path) -> bool:
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    return compileall.compile_dir(folder, quiet=1, invalidation_mode=mode)


_PLATFORMS: dict[Target, _Platform] = {
    "aws": _Platform(
        tag=f"lambda-arm64-{PYTHON_VERSION}",
        pip_options=(
            *(f"--platform={tag}" for tag in _LAMBDA_WHEELS),
            f"--python-version={PYTHON_VERSION}",
            "--implementation=cp",
        ),
        compile=_compile_for_lambda,
    ),
    "local": _Platform(
        tag=f"{sysconfig.get_platform()}-{sys.version_info.major}.{sys.version_info.minor}",
        pip_options=(),
        compile=_compile_for_this_machine,
    ),
}


@dataclass(frozen=True)
class Bundle:
    """A folder that is the code of a function, and the hash of all that went into it."""

    folder: Path
    hash: str


def make_bundle(function: str, *, target: Target) -> Bundle:
    """The bundle of `lambda_src/<function>`, from the cache where nothing changed. Raises BundleError."""
    platform = _PLATFORMS[target]
    requirements = SOURCES / function / "requirements.txt"
    libraries_hash = _hash(platform.tag, *RECIPE, requirements)
    own = [*files_in(SOURCES / "photos"), *files_in(SOURCES / function)]
    bundle_hash = _hash(libraries_hash, *own)

    libraries = made_once(
        CACHE / f"{function}-libraries-{libraries_hash[:16]}", lambda work: _install(work, requirements, platform)
    )
    folder = made_once(CACHE / f"{function}-{bundle_hash[:16]}", lambda work: _assemble(work, libraries, own, platform))
    return Bundle(folder, bundle_hash)


def _install(work: Path, requirements: Path, platform: _Platform) -> None:
    print(f"Installing the libraries of {requirements.parent.name} for {platform.tag} …", file=sys.stderr)
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-compile",
    ]
    command += ["--no-deps", "--require-hashes", "--only-binary=:all:", *platform.pip_options]
    command += ["--target", str(work), "--requirement", str(requirements)]
    pip = subprocess.run(command, capture_output=True, text=True)
    if pip.returncode != 0:
        raise BundleError(
            f"The libraries of {requirements} could not be installed for {platform.tag}: "
            f"{pip.stderr.strip() or 'pip said nothing'}\n"
            "This needs a package index once, after each change of that file."
        )
    for pattern in _NOT_NEEDED:
        for path in list(work.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for model in (work / "botocore" / "data").glob("*/"):
        if model.is_dir() and model.name not in _AWS_SERVICES:
            shutil.rmtree(model)
    _compile(work, platform)


def _assemble(work: Path, libraries: Path, own: Iterable[Path], platform: _Platform) -> None:
    shutil.copytree(libraries, work, copy_function=os.link, dirs_exist_ok=True)
    sources = work.with_name("sources")
    for file in own:
        if file.suffix == ".py":
            copy = sources / file.relative_to(SOURCES)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
    _compile(sources, platform)
    shutil.copytree(sources, work, dirs_exist_ok=True)


def _compile(folder: Path, platform: _Platform) -> None:
    if not platform.compile(folder):
        raise BundleError(
            f"{folder} could not be compiled to byte code for {platform.tag}. "
            "Is `npm ci` done? It installs the compiler."
        )


# How bundles are made is part of what they are.
RECIPE = [Path(__file__), Path(build_cache.__file__), *files_in(HERE / "bytecode"), ROOT / "package-lock.json"]


def _hash(*parts: str | Path) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part.read_bytes()
        name = part.relative_to(ROOT).as_posix() if isinstance(part, Path) else ""
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    return digest.hexdigest()


def main() -> None:
    """Make the bundles of all functions for both targets, so that synth needs no network afterwards."""
    argparse.ArgumentParser(prog="python -m stacks.support.deployment_package", description=main.__doc__).parse_args()
    for target in _PLATFORMS:
        for handler in sorted(SOURCES.glob("*/handler.py")):
            make_bundle(handler.parent.name, target=target)


if __name__ == "__main__":
    try:
        main()
    except BundleError as error:
        sys.exit(str(error))
