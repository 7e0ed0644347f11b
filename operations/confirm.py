"""The question before something is done to an account."""

import sys

from operations.errors import OperationError


def confirm(question: str, *, yes: bool) -> None:
    """Ask, unless the answer was given before. Raises OperationError without a yes."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise OperationError("Nobody is there to be asked. Say yes beforehand: YES=1 with make, --yes without.")
    try:
        answer = input(f"{question} [y/N] ")
    except (EOFError, KeyboardInterrupt):
        print()
        answer = ""
    if answer.strip().lower() not in ("y", "yes"):
        raise OperationError("Nothing was done.")
