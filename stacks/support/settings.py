"""Settings of the app: CDK context values (`cdk.json` or `-c key=value`), validated once."""

import ipaddress
import json
import re
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Literal, cast, get_args
from urllib.parse import urlsplit

from stacks.support.errors import AppError

Target = Literal["aws", "local"]

# The compute that makes thumbnails. Exactly one of them consumes the upload queue.
ThumbnailsOn = Literal["lambda", "lambda-image", "fargate", "ec2"]

# Context keys of the CDK contain an @, a colon, or a hyphen. Settings are plain words.
_SETTING_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

# Clients of an emulator on this machine have an address in this block.
LOOPBACK_CIDR = "127.0.0.1/32"

# The context value of `make deploy` that names the settings it detected instead of receiving them, separated by commas.
DETECTED = "other-compute:detected"

# AWS reserves these prefixes for capacity providers (aws, ecs, fargate), load balancers (internal), and buckets (amzn,
# sthree). `name` is the prefix of all of them.
_RESERVED = ("amzn", "aws", "ecs", "fargate", "internal", "sthree")


class SettingError(AppError):
    """A setting has an invalid value or an unknown key. The message is one line."""


class _Correction(ValueError):
    """The value is not allowed, but another one is, which the user could mean. The message is that value."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a deployment.

    Attributes:
        name: Prefix of stack names and physical names, so that several deployments can share an account.
        allowed_cidr: IPv4 CIDR block that can reach the service (/8 to /32). If None, the service accepts no traffic.
        time_zone: IANA time zone of the nightly sweep.
        alert_email: Recipient of alarms and budget alerts. If None, no e-mail is sent.
        monthly_budget_usd: Budget in US dollars per month.
        thumbnails_on: Compute that makes thumbnails: a Lambda function (from a deployment package or from a container
            image), or ECS workers (on Fargate or on EC2).
        expires_at: UTC time (ISO 8601) at which the deployment deletes itself. If None, it does not.
        target: `aws`, or `local` for the laptop sandbox.
    """

    name: str = "other-compute"
    allowed_cidr: str | None = None
    time_zone: str = "Etc/UTC"
    alert_email: str | None = None
    monthly_budget_usd: float = 20
    thumbnails_on: ThumbnailsOn = "lambda"
    expires_at: str | None = None
    target: Target = "aws"

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> "Settings":
        """Read the settings from the whole context of the app. An empty value means none, if that is the default.

        Raises:
            SettingError: A value is invalid, or a key is unknown.
        """
        settings: dict[str, Any] = {}
        for key, value in context.items():
            if key not in _ALLOWED:
                if _SETTING_KEY.fullmatch(key):
                    raise SettingError(f"Setting {key}: expected one of {', '.join(_ALLOWED)}, but received {value!r}")
            elif value is not None and (value != "" or _DEFAULTS[key] is not None):
                parse, allowed = _ALLOWED[key]
                try:
                    settings[key] = parse(value)
                except (TypeError, ValueError, OverflowError) as error:
                    hint = f". Did you mean {error}?" if isinstance(error, _Correction) else ""
                    raise SettingError(f"Setting {key}: expected {allowed}, but received {value!r}{hint}") from error
        return cls(**settings)

    def changed(self) -> dict[str, Any]:
        """Return the values that differ from their defaults, except `name` and `target`."""
        return {key: value for key in SETTING_DEFAULTS if (value := getattr(self, key)) != SETTING_DEFAULTS[key]}


_DEFAULTS = {field.name: field.default for field in fields(Settings)}

# The settings that `make deploy` keeps. `name` selects the deployment, and `target` depends on where it is.
SETTING_DEFAULTS = {key: default for key, default in _DEFAULTS.items() if key not in ("name", "target")}


def recorded_settings(context: Mapping[str, Any]) -> str:
    """Return the settings of a deployment for its output `Settings`, which `make deploy` reads.

    Args:
        context: The whole context of the app.

    Returns:
        JSON: the values `given` and `detected`, each by setting. Settings with their default value are in neither.
    """
    names = str(context.get(DETECTED, "")).split(",")
    changed = Settings.from_context(context).changed()
    given = {key: value for key, value in changed.items() if key not in names}
    detected = {key: value for key, value in changed.items() if key in names}
    return json.dumps({"given": given, "detected": detected})


def emulator_settings(endpoint_url: str | None) -> dict[str, str]:
    """Return the defaults of settings that differ if AWS clients use an emulator on this machine; else nothing.

    Args:
        endpoint_url: The endpoint of AWS clients, such as the value of AWS_ENDPOINT_URL.
    """
    host = urlsplit(endpoint_url or "").hostname or ""
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    return {"target": "local", "allowed_cidr": LOOPBACK_CIDR} if is_loopback else {}


# Each parser raises TypeError, ValueError, or OverflowError for a value that is not allowed.


def _name(value: str) -> str:
    # Resource names append to it. 20 characters leave room for load balancers (at most 32) and buckets (at most 63).
    if len(value) > 20 or not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", value) or value.startswith(_RESERVED):
        raise ValueError
    return value


def _allowed_cidr(value: str) -> str:
    network = ipaddress.IPv4Network(str(value), strict=False)
    if network.prefixlen < 8:
        raise ValueError
    # An address in a network, or an address without a slash: the user could mean either.
    if str(network) != value:
        raise _Correction(network)
    return value


def _time_zone(value: str) -> str:
    # Some operating systems list these two, which EventBridge Scheduler does not support.
    if value not in zoneinfo.available_timezones() - {"Factory", "localtime"}:
        raise ValueError
    return value


def _alert_email(value: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", value):
        raise ValueError
    return value


def _monthly_budget_usd(value: str | float) -> float:
    amount = float(value)
    if isinstance(value, bool) or not 1 <= amount <= 1_000_000:
        raise ValueError
    return amount


def _thumbnails_on(value: str) -> ThumbnailsOn:
    if value not in get_args(ThumbnailsOn):
        raise ValueError
    return cast(ThumbnailsOn, value)


def _expires_at(value: str) -> str:
    time = datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise ValueError
    utc = f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    if utc != value:
        raise _Correction(utc)
    return value


def _target(value: str) -> Target:
    if value not in get_args(Target):
        raise ValueError
    return cast(Target, value)


_ALLOWED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "name": (
        _name,
        "1 to 20 lowercase letters, digits, and single hyphens that start with a letter and not with "
        + ", ".join(_RESERVED),
    ),
    "allowed_cidr": (_allowed_cidr, "an IPv4 CIDR block from /8 to /32, such as 203.0.113.7/32"),
    "time_zone": (_time_zone, "an IANA time zone such as Europe/Vienna"),
    "alert_email": (_alert_email, "an e-mail address such as me@example.com"),
    "monthly_budget_usd": (_monthly_budget_usd, "US dollars per month from 1 to 1000000"),
    "thumbnails_on": (_thumbnails_on, f"one of {', '.join(get_args(ThumbnailsOn))}"),
    "expires_at": (_expires_at, "a UTC time such as 2026-11-28T20:00:00Z"),
    "target": (_target, "aws or local"),
}
