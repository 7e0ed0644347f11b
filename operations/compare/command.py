"""The command `make compare`: measures every option, prints the report, and writes the page."""

import os
import signal
from collections.abc import Mapping
from types import FrameType

from local.console import step
from local.emulator import ROOT
from operations.account import create_session
from operations.compare.costs.assumptions import read_assumptions
from operations.compare.measurement import RESULTS, Comparison
from operations.compare.measuring.account import AccountTarget
from operations.compare.measuring.run import STACKS, compare
from operations.compare.measuring.sandbox import SandboxTarget
from operations.compare.page.markdown import CHART, PAGE, create_model, write_page
from operations.compare.page.terminal import print_report
from operations.errors import OperationError
from operations.settings import check_sandbox_access

# The sandbox keeps all files in memory.
_MAX_PHOTOS = 1_000


def run_comparison(photos: str, settings: Mapping[str, str], *, yes: bool) -> None:
    """Compare all options in the sandbox or, with `E2E_TARGET=aws`, in an account. Prints and writes the results.

    Args:
        photos: Number of files, as the user wrote it.
        settings: Settings of the command line, and `name`.
        yes: Skip the confirmation in an account.

    Raises:
        OperationError: An argument is invalid, an option failed, or a photo is missing or differs.
        SandboxError: The sandbox failed.
    """
    count = _parse_count(photos)
    if "thumbnails_on" in settings:
        raise OperationError("Setting thumbnails_on: the comparison deploys every value. Omit the setting.")
    read_assumptions()  # An invalid one must not fail after all measurements.
    # A terminal that closes must not leave deployments behind.
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    try:
        comparison = _compare(count, settings, yes=yes)
    except KeyboardInterrupt:
        raise OperationError("\nStopped. No deployment of the comparison remains.") from None
    comparison.write()
    with step("Read the sizes in the templates"):
        model = create_model(comparison)
    print_report(comparison, model)
    write_page(comparison, model)
    print("\nWrote " + ", ".join(str(file.relative_to(ROOT)) for file in (RESULTS, PAGE, CHART)))


def _compare(count: int, settings: Mapping[str, str], *, yes: bool) -> Comparison:
    match os.environ.get("E2E_TARGET", "local"):
        case "local":
            check_sandbox_access(settings)
            return compare(SandboxTarget(settings), count)
        case "aws":
            target = AccountTarget(create_session(), settings)
            target.confirm(STACKS, yes=yes)
            return compare(target, count)
        case other:
            raise OperationError(
                f"E2E_TARGET: expected 'aws' (the account of your credentials) or no value, but received {other!r}."
            )


def _parse_count(photos: str) -> int:
    if not (photos.isascii() and photos.isdecimal() and 1 <= int(photos) <= _MAX_PHOTOS):
        raise OperationError(f"PHOTOS: expected a whole number from 1 to {_MAX_PHOTOS}, but received {photos!r}.")
    return int(photos)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
