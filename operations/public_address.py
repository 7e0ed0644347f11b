"""The public address of the caller."""

import ipaddress
import urllib.request

from operations.errors import OperationError

# Returns the address of the caller as text. Like the setting `allowed_cidr`, it supports IPv4 only.
_CHECK_IP_URL = "https://checkip.amazonaws.com"

_TIMEOUT_SECONDS = 10


def detect_public_cidr(url: str = _CHECK_IP_URL) -> str:
    """Return the public IPv4 address of the caller as a /32 CIDR block.

    Args:
        url: Service that returns the address of the caller as text.

    Raises:
        OperationError: The service is unreachable or returns no public IPv4 address.
    """
    remedy = "Set it yourself: make deploy allowed_cidr=203.0.113.7/32"
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as response:
            text = response.read(100).decode("ascii", errors="replace").strip()
    except (OSError, ValueError) as error:  # ValueError: not a URL
        raise OperationError(f"Cannot detect your public address: {url} is unreachable ({error}). {remedy}") from error
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError as error:
        raise OperationError(f"Cannot detect your public address: {url} returned {text!r}. {remedy}") from error
    if not address.is_global:  # A proxy forwards the private address of its client.
        raise OperationError(f"Cannot detect your public address: {url} returned the private {address}. {remedy}")
    return f"{address}/32"
