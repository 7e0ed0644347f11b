"""Times as the service stores and tells them."""

from datetime import UTC, datetime


def format_utc(time: datetime) -> str:
    """UTC in ISO 8601 with milliseconds: the order of such texts is the order of times."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
