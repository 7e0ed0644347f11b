"""Deployment packages of the functions: complete, for Lambda's platform, reproducible, and built once."""

import _imp
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.support import deployment_package
from stacks.support.deployment_package import DeploymentPackage, PackagingError, build_deployment_package

# importlib.util.MAGIC_NUMBER of CPython 3.13 (Include/internal/pycore_magic_number.h)
_MAGIC_313 = struct.pack("<H", 3571) + b"\r\n"
_SOURCE_HASH_KEY = int.from_bytes(_MAGIC_313, "little")  # the key of importlib.util.source_hash in that version
_UNCHECKED_HASH = 0b01  # PEP 552
_AARCH64 = 183  # e_machine in the ELF header

FUNCTIONS = sorted(handler.parent.name for handler in deployment_package.SOURCES.glob("*/handler.py"))


@pytest.fixture(scope="module", params=FUNCTIONS)
def function(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def package(function: str) -> DeploymentPackage:
    return build_deployment_package(function, target="aws")


@pytest.mark.slow
def test_handler_imports_from_its_package_alone(function: str) -> None:
    folder = build_deployment_package(function, target="local").folder
    program = f"import sys; sys.path.insert(0, {str(folder)!r}); import {function}.handler"
    environment = handler_environment(function)
    # -I and -S: no site-packages, no environment, no working directory on the path.
    run = subprocess.run([sys.executable, "-I", "-S", "-c", program], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


_DELETION_ORDER = '{"users": {}, "last": ["Expiry"]}'


def handler_environment(function: str) -> dict[str, str]:
    """Return the environment variables that a handler reads when it is imported."""
    sources = "".join(file.read_text() for file in (deployment_package.SOURCES / function).glob("*.py"))
    variables = [part.split('"')[0] for part in sources.split('os.environ["')[1:]]
    values = dict.fromkeys(variables, "1") | {"EXPIRES_AT": "2100-01-01T00:00:00Z", "DELETION_ORDER": _DELETION_ORDER}
    return {"AWS_DEFAULT_REGION": "us-east-1"} | {name: values[name] for name in variables}


def test_pip_requires_hashes_and_its_error_is_reported(
    function: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    def pip(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 1, "", "no matching distribution")

    monkeypatch.setattr(deployment_package, "CACHE", tmp_path)
    monkeypatch.setattr(subprocess, "run", pip)
    with pytest.raises(PackagingError, match=f"{function}/requirements.txt .*lambda-arm64.*: no matching distribution"):
        build_deployment_package(function, target="aws")
    assert "--require-hashes" in commands[0]
    assert list(tmp_path.iterdir()) == []


def test_native_libraries_are_for_arm64_and_python_313(package: DeploymentPackage, function: str) -> None:
    libraries = [path for path in package.folder.rglob("*") if ".so" in path.suffixes]
    assert libraries or function != "thumbnail"
    for library in libraries:
        (machine,) = struct.unpack_from("<H", library.read_bytes(), 18)
        assert machine == _AARCH64, library
        if "cpython-" in library.name:
            assert "cpython-313-aarch64" in library.name, library


def test_bytecode_is_for_python_313_and_loaded_without_checking_the_source(package: DeploymentPackage) -> None:
    sources = list(package.folder.rglob("*.py"))
    assert sources
    for source in sources:
        code = (source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc").read_bytes()
        assert code[:4] == _MAGIC_313, source
        assert struct.unpack_from("<I", code, 4) == (_UNCHECKED_HASH,), source
        assert code[8:16] == _imp.source_hash(_SOURCE_HASH_KEY, source.read_bytes()), source


def test_package_contains_no_unused_files(package: DeploymentPackage) -> None:
    assert [path for path in package.folder.rglob("*") if path.suffix in (".dist-info", ".pyi")] == []
    assert not (package.folder / "bin").exists()
    # Powertools' Tracer would bring it: a third of a second at each cold start.
    assert not (package.folder / "aws_xray_sdk").exists()
    models = package.folder / "botocore" / "data"
    kept = {path.name for path in models.iterdir() if path.is_dir()}
    assert {"dynamodb", "s3"} <= kept <= set(deployment_package._called_services())


@pytest.mark.slow
def test_equal_sources_give_equal_bytes(
    package: DeploymentPackage, function: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for libraries in deployment_package.CACHE.glob(f"{function}-libraries-*"):
        shutil.copytree(libraries, tmp_path / libraries.name)
    monkeypatch.setattr(deployment_package, "CACHE", tmp_path)
    rebuilt = build_deployment_package(function, target="aws")
    assert rebuilt.folder != package.folder
    assert _contents(rebuilt.folder) == _contents(package.folder)


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def project_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of this project in another folder. Packages are not built, only hashed."""
    root = tmp_path / "elsewhere"
    for folder in ("stacks", "lambda_src"):
        shutil.copytree(deployment_package.ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(deployment_package.ROOT / "package-lock.json", root)
    monkeypatch.setattr(deployment_package, "build_once", lambda folder, fill: folder)
    monkeypatch.setattr(deployment_package, "ROOT", root)
    monkeypatch.setattr(deployment_package, "SOURCES", root / "lambda_src")
    return root


def test_hash_does_not_depend_on_the_folder_or_on_bytecode_of_a_test_run(
    package: DeploymentPackage, function: str, project_copy: Path
) -> None:
    bytecode = project_copy / "lambda_src" / "photos" / "__pycache__" / "keys.cpython-311.pyc"
    bytecode.parent.mkdir()
    bytecode.write_bytes(b"x")
    assert build_deployment_package(function, target="aws").hash == package.hash


def test_hash_depends_on_the_target(package: DeploymentPackage, function: str, project_copy: Path) -> None:
    assert build_deployment_package(function, target="local").hash != package.hash


@pytest.mark.parametrize(
    "changed",
    [
        "lambda_src/photos/keys.py",
        "lambda_src/{function}/handler.py",
        "lambda_src/{function}/requirements.txt",
        "stacks/support/compile_bytecode.mjs",
        "stacks/support/deployment_package.py",
    ],
)
def test_hash_depends_on_each_input(
    package: DeploymentPackage, function: str, project_copy: Path, changed: str
) -> None:
    with (project_copy / changed.format(function=function)).open("a") as file:
        file.write("# changed\n")
    assert build_deployment_package(function, target="aws").hash != package.hash
