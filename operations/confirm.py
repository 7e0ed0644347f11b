"""Questions before a command changes an account."""

import sys

from operations.errors import OperationError

_NOT_CONFIRMED = "Not confirmed. Nothing was changed."


def confirm(question: str, *, yes: bool) -> None:
    """Ask for confirmation, unless `yes` is set.

    Raises:
        OperationError: The user did not confirm, or standard input is not a terminal.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise OperationError("Not a terminal: pass --yes to confirm (with make: YES=1).")
    if ask(f"{question} [y/N] ") not in ("y", "yes"):
        raise OperationError(_NOT_CONFIRMED)


def ask(question: str) -> str:
    """Return the answer to a question, in lowercase and without surrounding spaces.

    Raises:
        OperationError: The user interrupted the question.
    """
    try:
        return input(question).strip().lower()
    except (EOFError, KeyboardInterrupt):
        print()
        raise OperationError(_NOT_CONFIRMED) from None
