"""docs/local.md lists the private names of the emulator that the extension uses."""

import ast

from tools.private_names import COMMAND, PAGE, page, private_names


def test_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), f"Run: {COMMAND}"


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
