"""Loopback counts as TLS: bucket policies that deny plain HTTP are enforced here too, and would refuse everyone."""

import ministack.app
from ministack.core.iam_evaluator import pin_request_origin


def extend() -> None:
    """Tell the emulator's policy checks that each request came over TLS."""

    def pin_secure(source_ip: str, secure_transport: bool) -> None:
        pin_request_origin(source_ip, True)

    if ministack.app.pin_request_origin is not pin_request_origin:
        raise AttributeError("ministack.app.pin_request_origin")
    ministack.app.pin_request_origin = pin_secure
