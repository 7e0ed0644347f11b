"""Ports on the loopback address, the only address that the sandbox uses: macOS has no other one in 127.0.0.0/8."""

import errno
import os
import socket

HOST = "127.0.0.1"

_REASONS = {
    errno.EADDRINUSE: "another program uses it",
    errno.EACCES: "this user is not allowed to open it; use a port from 1024 to 65535",
    errno.EADDRNOTAVAIL: f"the loopback interface of this machine does not have the address {HOST}",
}


def why_unavailable(port: int) -> str | None:
    """Return why a server cannot listen on this port of 127.0.0.1, or None if it can."""
    with socket.socket() as probe:
        # Like a server, ignore connections in TIME_WAIT.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OverflowError:
            return "a port is a number from 1 to 65535"
        except OSError as error:
            return _REASONS.get(error.errno or 0, os.strerror(error.errno or 0))
    return None


def free_port() -> int:
    """Return a port that no program uses. Raises OSError with the reason if there is none."""
    with socket.socket() as probe:
        try:
            probe.bind((HOST, 0))
        except OSError as error:
            raise OSError(f"No port of {HOST} is available: {_REASONS.get(error.errno or 0, error)}.") from error
        port: int = probe.getsockname()[1]
        return port
