"""docs/local.md lists the private names of the emulator that the extension uses, and the emulator has them."""

import ast
import pkgutil
from contextlib import suppress
from importlib.metadata import version

from tools.private_names import COMMAND, EXTENSION, PAGE, page, private_names


def test_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), f"Run: {COMMAND}"


def _exists(name: str) -> bool:
    for package in ("ministack.services", "ministack"):
        with suppress(ImportError, AttributeError):
            pkgutil.resolve_name(f"{package}.{name}")
            return True
    return False


def test_installed_emulator_has_all_names() -> None:
    used = {(name, file.name) for file in EXTENSION.glob("*.py") for name in private_names(ast.parse(file.read_text()))}
    missing = [f"{name} ({file})" for name, file in sorted(used) if not _exists(name)]
    assert not missing, f"ministack {version('ministack')} lacks names that the extension uses: {', '.join(missing)}"


def test_imported_read_and_replaced_names_are_found() -> None:
    tree = ast.parse(
        "import os\n"
        "from ministack.core.lambda_runtime import Worker\n"
        "from ministack.services import s3 as storage\n"
        "from ministack.services.cloudformation.provisioners import _HANDLERS\n"
        "storage._buckets.clear()\n"
        "storage.put._cache = os._exit\n"
        "Worker._spawn = storage.public\n"
        "print(Worker.__name__)\n"
    )
    assert set(private_names(tree)) == {
        "cloudformation.provisioners._HANDLERS",
        "s3._buckets",
        "s3.put._cache",
        "core.lambda_runtime.Worker._spawn",
    }
