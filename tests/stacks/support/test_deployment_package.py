"""The code bundle of a function: complete, for Lambda's platform, the same everywhere, made once."""

import _imp
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.support import deployment_package
from stacks.support.deployment_package import Bundle, make_bundle

# importlib.util.MAGIC_NUMBER of CPython 3.13 (Include/internal/pycore_magic_number.h)
_MAGIC_313 = struct.pack("<H", 3571) + b"\r\n"
_SOURCE_HASH_KEY = int.from_bytes(_MAGIC_313, "little")  # as importlib.util.source_hash of that version has it
_UNCHECKED_HASH = 0b01  # PEP 552
_AARCH64 = 183  # e_machine in the ELF header

FUNCTIONS = sorted(handler.parent.name for handler in deployment_package.SOURCES.glob("*/handler.py"))


@pytest.fixture(scope="module", params=FUNCTIONS)
def function(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def for_lambda(function: str) -> Bundle:
    return make_bundle(function, target="aws")


def test_the_handler_imports_with_nothing_but_the_bundle(function: str) -> None:
    folder = make_bundle(function, target="local").folder
    program = f"import sys; sys.path.insert(0, {str(folder)!r}); import {function}.handler"
    environment = {"AWS_DEFAULT_REGION": "us-east-1"} | dict.fromkeys(_environment_variables(function), "x")
    # -I and -S: no site-packages, no environment, no working directory on the path.
    run = subprocess.run([sys.executable, "-I", "-S", "-c", program], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def _environment_variables(function: str) -> list[str]:
    source = (deployment_package.SOURCES / function / "handler.py").read_text()
    return [part.split('"')[0] for part in source.split('os.environ["')[1:]]


def test_libraries_are_taken_by_hash_only(function: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def pip(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        return subprocess.CompletedProcess(command, 1, "", "it was only asked")

    monkeypatch.setattr(deployment_package, "CACHE", tmp_path)
    monkeypatch.setattr(subprocess, "run", pip)
    with pytest.raises(deployment_package.BundleError, match="it was only asked"):
        make_bundle(function, target="aws")
    assert "--require-hashes" in asked[0]  # so pip refuses what has none


def test_native_libraries_are_for_arm64_and_python_313(for_lambda: Bundle, function: str) -> None:
    libraries = [path for path in for_lambda.folder.rglob("*") if ".so" in path.suffixes]
    assert libraries or function != "thumbnail"
    for library in libraries:
        (machine,) = struct.unpack_from("<H", library.read_bytes(), 18)
        assert machine == _AARCH64, library
        if "cpython-" in library.name:
            assert "cpython-313-aarch64" in library.name, library


def test_byte_code_is_of_python_313_and_taken_without_a_look_at_the_source(for_lambda: Bundle) -> None:
    sources = list(for_lambda.folder.rglob("*.py"))
    assert sources
    for source in sources:
        code = (source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc").read_bytes()
        assert code[:4] == _MAGIC_313, source
        assert struct.unpack_from("<I", code, 4) == (_UNCHECKED_HASH,), source
        assert code[8:16] == _imp.source_hash(_SOURCE_HASH_KEY, source.read_bytes()), source


def test_nothing_in_it_that_is_not_needed(for_lambda: Bundle) -> None:
    assert [path for path in for_lambda.folder.rglob("*") if path.suffix in (".dist-info", ".pyi")] == []
    assert not (for_lambda.folder / "bin").exists()
    # What the Tracer of Powertools would bring: a third of a second at each cold start.
    assert not (for_lambda.folder / "aws_xray_sdk").exists()
    models = for_lambda.folder / "botocore" / "data"
    assert {path.name for path in models.iterdir() if path.is_dir()} <= set(deployment_package._AWS_SERVICES)


def test_a_second_call_makes_nothing(for_lambda: Bundle, function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment_package, "_install", None)
    monkeypatch.setattr(deployment_package, "_assemble", None)
    assert make_bundle(function, target="aws") == for_lambda


def test_the_same_sources_give_the_same_bytes(
    for_lambda: Bundle, function: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for libraries in deployment_package.CACHE.glob(f"{function}-libraries-*"):
        shutil.copytree(libraries, tmp_path / libraries.name)
    monkeypatch.setattr(deployment_package, "CACHE", tmp_path)
    again = make_bundle(function, target="aws")
    assert again.folder != for_lambda.folder
    assert _contents(again.folder) == _contents(for_lambda.folder)


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class TestHash:
    """The hash says all that went into a bundle, and nothing of where it was made."""

    @pytest.fixture
    def copy(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """A copy of this project in another folder, where nothing is really made."""
        root, original = tmp_path / "elsewhere", deployment_package.ROOT
        for folder in ("stacks", "lambda_src"):
            shutil.copytree(
                deployment_package.ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__")
            )
        shutil.copy(deployment_package.ROOT / "package-lock.json", root)
        monkeypatch.setattr(deployment_package, "made_once", lambda folder, fill: folder)
        monkeypatch.setattr(deployment_package, "ROOT", root)
        monkeypatch.setattr(deployment_package, "SOURCES", root / "lambda_src")
        monkeypatch.setattr(
            deployment_package,
            "RECIPE",
            [root / path.relative_to(original) for path in deployment_package.RECIPE],
        )
        return root

    def test_is_the_same_in_another_folder(self, for_lambda: Bundle, function: str, copy: Path) -> None:
        assert make_bundle(function, target="aws").hash == for_lambda.hash

    @pytest.mark.parametrize(
        "changed",
        ["lambda_src/photos/keys.py", "lambda_src/{function}/handler.py", "lambda_src/{function}/requirements.txt"],
    )
    def test_changes_with_what_is_in_it(self, for_lambda: Bundle, function: str, copy: Path, changed: str) -> None:
        with (copy / changed.format(function=function)).open("a") as file:
            file.write("# changed\n")
        assert make_bundle(function, target="aws").hash != for_lambda.hash

    def test_differs_between_lambda_and_this_machine(self, for_lambda: Bundle, function: str, copy: Path) -> None:
        assert make_bundle(function, target="local").hash != for_lambda.hash

    def test_byte_code_left_by_a_test_run_does_not_count(self, for_lambda: Bundle, function: str, copy: Path) -> None:
        stray = copy / "lambda_src" / "photos" / "__pycache__" / "keys.cpython-311.pyc"
        stray.parent.mkdir()
        stray.write_bytes(b"x")
        assert make_bundle(function, target="aws").hash == for_lambda.hash


def test_without_a_package_index_one_message_says_what_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployment_package, "CACHE", tmp_path)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(deployment_package.BundleError, match="could not be installed for lambda-arm64"):
        make_bundle(FUNCTIONS[-1], target="aws")
    assert list(tmp_path.iterdir()) == []
