"""Questions before a command changes an account."""

import sys

from operations.errors import OperationError


class NotConfirmedError(OperationError):
    """The user did not confirm, so nothing was changed. A command that ends with it did what the user wanted."""

    def __init__(self) -> None:
        super().__init__("Not confirmed. Nothing was changed.")


def confirm(question: str, *, yes: bool) -> None:
    """Ask for confirmation, unless `yes` is set.

    Raises:
        NotConfirmedError: The user did not confirm.
        OperationError: Standard input is not a terminal.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise OperationError("Not a terminal: pass --yes to confirm (with make: YES=1).")
    if ask(f"{question} [y/N] ") not in ("y", "yes"):
        raise NotConfirmedError


def ask(question: str) -> str:
    """Return the answer to a question, in lowercase and without surrounding spaces.

    Raises:
        NotConfirmedError: The user interrupted the question.
    """
    try:
        return input(question).strip().lower()
    except (EOFError, KeyboardInterrupt):
        print()
        raise NotConfirmedError from None
