"""The public address of whoever runs this."""

import ipaddress
import urllib.request

from operations.errors import OperationError

# Answers with the address that it was asked from, as text. IPv4 only, as the setting `allowed_cidr`.
CHECK_IP_URL = "https://checkip.amazonaws.com"

_SECONDS = 10


def detect_public_cidr(url: str = CHECK_IP_URL) -> str:
    """One's own address as a value of `allowed_cidr`. Raises OperationError if it cannot be found out."""
    instead = "Give it yourself: make deploy allowed_cidr=203.0.113.7/32"
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer:
            text = answer.read(100).decode("ascii", errors="replace").strip()
    except (OSError, ValueError) as error:  # ValueError: not a URL
        raise OperationError(f"Your address is not known, as {url} cannot be reached ({error}). {instead}") from error
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError as error:
        raise OperationError(f"Your address is not known, as {url} answered {text!r}. {instead}") from error
    if not address.is_global:  # what a proxy on the way knows of you
        raise OperationError(
            f"{url} was asked through a proxy that says you are {address}, a private address. {instead}"
        )
    return f"{address}/32"
