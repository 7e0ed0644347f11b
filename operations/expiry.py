"""The expiry of a deployment: the time at which it deletes itself (`stacks/expiry.py`)."""

import math
import sys
from datetime import UTC, datetime, timedelta

from operations.confirm import ask
from operations.errors import OperationError

EXPIRY = "Expiry"  # id of the stack

# The setting on the command line that becomes the setting `expires_at`.
EXPIRES_AFTER_HOURS = "expires_after_hours"

_SUGGESTED_HOURS = "8"
_MAX_HOURS = 366 * 24


def expires_at_after(hours: str) -> str:
    """Return the setting `expires_at` for a time in this many hours, rounded up to the minute. Empty for no expiry.

    Raises:
        OperationError: The number of hours is invalid. The message is one line.
    """
    if not hours:
        return ""
    try:
        number = float(hours)
    except ValueError:
        number = math.nan
    if not 0 < number <= _MAX_HOURS:
        raise OperationError(
            f"Setting {EXPIRES_AFTER_HOURS}: expected more than 0 and at most {_MAX_HOURS} hours, such as 8, or "
            f"nothing for no expiry, but received {hours!r}"
        )
    seconds = (datetime.now(UTC) + timedelta(hours=number)).timestamp()
    return f"{datetime.fromtimestamp(math.ceil(seconds / 60) * 60, UTC):%Y-%m-%dT%H:%M:%SZ}"


def ask_expires_at() -> str:
    """Ask in how many hours a new deployment deletes itself, if standard input is a terminal.

    Returns:
        The setting `expires_at`; empty for no expiry.

    Raises:
        OperationError: The user interrupted the question.
    """
    if not sys.stdin.isatty():
        return ""
    while True:
        question = f"Delete the deployment after how many hours? A number, or never [{_SUGGESTED_HOURS}]: "
        answer = ask(question) or _SUGGESTED_HOURS
        if answer in ("never", "no", "n"):
            return ""
        try:
            return expires_at_after(answer)
        except OperationError as error:
            print(error)


def describe_expiry(expires_at: str | None) -> str:
    """Return when a deployment deletes itself, in UTC and in local time.

    Raises:
        OperationError: The time is in the past.
    """
    if not expires_at:
        return f"never. To delete it automatically: {EXPIRES_AFTER_HOURS}={_SUGGESTED_HOURS}"
    if _hours_until(expires_at) <= 0:
        raise OperationError(
            f"Setting expires_at: {expires_at} is in the past, so the deployment would delete itself within minutes. "
            f"Set another time with {EXPIRES_AFTER_HOURS}={_SUGGESTED_HOURS}, or none with {EXPIRES_AFTER_HOURS}="
        )
    local = datetime.fromisoformat(expires_at).astimezone()
    return f"{expires_at}, which is {local:%a %H:%M} in your time zone ({local:%Z}): deletes itself with all data"


def cost_until(expires_at: str, hourly: float) -> str:
    """Return the cost until the expiry at a price in US dollars per hour."""
    hours = max(0.0, _hours_until(expires_at))
    return f"${hourly * hours:.2f} while idle until {expires_at} ({hours:.1f} hours)"


def _hours_until(expires_at: str) -> float:
    return (datetime.fromisoformat(expires_at) - datetime.now(UTC)) / timedelta(hours=1)
