"""`make cost`: the idle cost of a deployment, or its bill for a month of usage."""

import argparse
import math
import shutil
import tempfile
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import local  # noqa: F401  # isort: skip  # must come first: finds the package photos

from operations.cdk import cdk_json_context, synthesize
from operations.cost.idle import idle_cost, print_table
from operations.errors import OperationError
from operations.expiry import cost_until
from photos.albums import MAX_PHOTOS
from photos.limits import MAX_BYTES
from stacks.support.settings import Settings

_BILLION: Final = 10**9
_COLUMNS: Final = 100  # of a common terminal

# Options of the usage by field of `Usage`: lowest and highest value, example, and help.
_NUMBERS: Final[Mapping[str, tuple[float, float, str, str]]] = {
    "photos": (0, _BILLION, "1000000", "photos that users upload in a month; prints the bill of the month"),
    "albums": (0, _BILLION, "100", "albums that users request and download (default: 0)"),
    "album_photos": (1, MAX_PHOTOS, "24", "photos of each album (default: 24)"),
    "page_views": (0, _BILLION, "10000", "views of the gallery page (default: 0)"),
    "deletions": (0, _BILLION, "5000", "photos that users delete (default: 0)"),
    "megapixels": (0.1, 100, "12", "size of each photo (default: 12)"),
    "bytes": (1, MAX_BYTES, "4000000", "size of each file (default: that of a JPEG with these megapixels)"),
}
_UPLOADS: Final = ("api", "s3")


def add_usage_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that describe a month of usage."""
    for name, (_, _, _, summary) in _NUMBERS.items():
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="N", help=summary)
    parser.add_argument(
        "--upload", metavar="api|s3", help="how users upload: by the API or to the bucket (default: api)"
    )


def print_cost(settings: Mapping[str, str], options: argparse.Namespace) -> None:
    """Print the idle cost of a deployment with these settings, or its bill if `options` contain a number of photos.

    Both end with the idle cost until the expiry, if the settings have one.

    Raises:
        OperationError: An option is invalid. The message is one line.
        UnknownPriceError: A resource has no known price.
    """
    given = {name: value for name in (*_NUMBERS, "upload") if (value := getattr(options, name))}
    values = {name: _number(name, given[name]) for name in _NUMBERS if name in given}
    if given and "photos" not in given:
        name, value = next(iter(given.items()))
        example = f"make cost PHOTOS=1000000 {name.upper()}={value}"
        raise OperationError(f"{name.upper()} needs PHOTOS, for example: {example}")
    if (upload := given.get("upload", "api")) not in _UPLOADS:
        raise OperationError(f"UPLOAD: {upload!r} is not allowed. Give {' or '.join(_UPLOADS)}.")
    with tempfile.TemporaryDirectory(prefix="other-compute-") as folder:
        assembly = synthesize(Path(folder, "cdk.out"), dict(settings)).folder
        cost = idle_cost(assembly)
        if not given:
            print_table(cost.rows())
            print(f"\n{cost}")
        else:
            _print_bill({**values, "upload": upload}, assembly)
    if expires_at := Settings.from_context({**cdk_json_context(), **settings}).expires_at:
        print(cost_until(expires_at, cost.hourly))


def _print_bill(values: Mapping[str, Any], assembly: Path) -> None:
    # Imports the model of the comparison, which the idle cost does not need.
    from operations.cost.bill import monthly_bill
    from operations.cost.bill_table import TOTALS, bill_rows, explanation, summary
    from operations.cost.month import Usage

    fields = {{"bytes": "photo_bytes"}.get(name, name): value for name, value in values.items()}
    bill = monthly_bill(Usage(**fields), assembly)
    print_table(bill_rows(bill), totals=TOTALS)
    columns = min(_COLUMNS, shutil.get_terminal_size((_COLUMNS, 0)).columns)
    for text in (summary(bill), explanation(bill)):
        print(f"\n{textwrap.fill(text, columns)}")


def _number(name: str, text: str) -> Any:
    low, high, example, _ = _NUMBERS[name]
    whole = name != "megapixels"
    try:
        value = float(text.replace(",", ""))  # also accepts 1_000_000 and 1e6
    except ValueError:
        value = math.nan
    if low <= value <= high and not (whole and value % 1):
        return int(value) if whole else value
    kind = "whole number" if whole else "number"
    forms = "1000000, 1_000_000, 1,000,000, or 1e6" if high == _BILLION else example
    raise OperationError(
        f"{name.upper()}: {text!r} is not allowed. Give a {kind} from {low:,} to {high:,}, such as {forms}."
    )
