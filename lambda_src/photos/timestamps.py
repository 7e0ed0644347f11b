"""Timestamps as the service stores and returns them."""

from datetime import UTC, datetime


def format_utc(time: datetime) -> str:
    """Format a time as UTC in ISO 8601 with milliseconds, so that text order is time order."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
