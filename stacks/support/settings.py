"""The settings of the app: CDK context (`cdk.json` or `-c key=value`), read once and validated."""

import ipaddress
import math
import re
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, cast

from stacks.support.errors import AppError

Target = Literal["aws", "local"]

# Context keys of the CDK itself have an @, a colon or a hyphen in them; ours are plain words.
_OUR_KEYS = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

# AWS keeps names that begin so for itself: of capacity providers (aws, ecs, fargate), load balancers (internal) and
# buckets (amzn, sthree). All are made of `name`.
_RESERVED = ("amzn", "aws", "ecs", "fargate", "internal", "sthree")


class SettingError(AppError):
    """A setting has a value that is not allowed; the message is one line."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a person can choose.

    name: prefix of stack and physical names, so that two people can share an account
    allowed_cidr: the only addresses that reach the service; None lets nobody in
    time_zone: IANA name, of the nightly sweep
    alert_email: where alarms and the budget report to; None sends no mail
    monthly_budget_usd: US dollars a month
    target: `aws`, or `local` for the laptop sandbox
    """

    name: str = "other-compute"
    allowed_cidr: str | None = None
    time_zone: str = "Etc/UTC"
    alert_email: str | None = None
    monthly_budget_usd: float = 20
    target: Target = "aws"

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> "Settings":
        """Settings from all context of the app. Raises SettingError for a wrong value or an unknown key."""
        known = [field.name for field in fields(cls)]
        for key, value in context.items():
            if _OUR_KEYS.fullmatch(key) and key not in known:
                raise _wrong(key, value, f"one of the settings {', '.join(known)}")
        given = {key: context[key] for key in known if context.get(key) not in (None, "")}
        return cls(**{key: _VALIDATORS[key](value) for key, value in given.items()})


def _wrong(key: str, value: object, allowed: str) -> SettingError:
    return SettingError(f"Setting {key}: expected {allowed}, but received {value!r}")


def _name(value: object) -> str:
    # 20 characters leave room for what we and CloudFormation add to it: load balancers have at most 32, buckets 63.
    if (
        isinstance(value, str)
        and len(value) <= 20
        and re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", value)
        and not value.startswith(_RESERVED)
    ):
        return value
    raise _wrong(
        "name",
        value,
        "at most 20 lower-case letters, digits and single hyphens, a letter first, "
        f"not beginning with {', '.join(_RESERVED)}",
    )


def _allowed_cidr(value: object) -> str:
    allowed = "an IPv4 network such as 203.0.113.7/32, not wider than /8"
    try:
        network = ipaddress.IPv4Network(cast(str, value))
    except ValueError as error:
        raise _wrong("allowed_cidr", value, allowed) from error
    # Without a slash Python takes it for one address; whoever wrote it may have meant a network.
    if "/" not in str(value) or network.prefixlen < 8:
        raise _wrong("allowed_cidr", value, allowed)
    return str(network)


def _time_zone(value: object) -> str:
    # Of the two that are no zones a machine may know, AWS knows none.
    if isinstance(value, str) and value in zoneinfo.available_timezones() - {"Factory", "localtime"}:
        return value
    raise _wrong("time_zone", value, "an IANA time zone such as Europe/Vienna")


def _alert_email(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", value):
        return value
    raise _wrong("alert_email", value, "an e-mail address such as me@example.com")


def _monthly_budget_usd(value: object) -> float:
    allowed = "US dollars a month, from 1 to 1000000"
    try:
        amount = math.nan if isinstance(value, bool) else float(cast(str, value))
    except (TypeError, ValueError) as error:
        raise _wrong("monthly_budget_usd", value, allowed) from error
    if not 1 <= amount <= 1_000_000:
        raise _wrong("monthly_budget_usd", value, allowed)
    return amount


def _target(value: object) -> Target:
    if value == "aws" or value == "local":  # not `in`: the type checker would not see it
        return value
    raise _wrong("target", value, "aws or local")


_VALIDATORS: dict[str, Callable[[object], Any]] = {
    "name": _name,
    "allowed_cidr": _allowed_cidr,
    "time_zone": _time_zone,
    "alert_email": _alert_email,
    "monthly_budget_usd": _monthly_budget_usd,
    "target": _target,
}
