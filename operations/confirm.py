"""Confirmation before a command changes an account."""

import sys

from operations.errors import OperationError


def confirm(question: str, *, yes: bool) -> None:
    """Ask for confirmation, unless `yes` is set.

    Raises:
        OperationError: The user did not confirm, or standard input is not a terminal.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise OperationError("Not a terminal: pass --yes to confirm (with make: YES=1).")
    try:
        answer = input(f"{question} [y/N] ")
    except (EOFError, KeyboardInterrupt):
        print()
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        raise OperationError("Not confirmed. Nothing was changed.")
