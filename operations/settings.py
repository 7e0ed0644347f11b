"""The settings of a deployment: from the command line, cdk.json, and the deployment itself."""

import argparse
import ipaddress
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from operations.cdk import WORKERS, Assembly, cdk_json_context
from operations.deployed_stacks import DeployedStack
from operations.errors import OperationError
from operations.expiry import EXPIRES_AFTER_HOURS, EXPIRY, expires_at_after
from stacks.support.settings import LOOPBACK_CIDR, SETTING_DEFAULTS, SettingError, Settings

# The source of a value that the next `make deploy` detects again.
DETECTED_SOURCE = "your public address, detected"
# The source of a value that replaces another one, which a user gave for the existing deployment.
REPLACED_SOURCE = "cdk.json replaces the setting of the deployment"


def add_settings_option(parser: argparse.ArgumentParser) -> None:
    """Add the option `-c KEY=VALUE`. Its values are the argument of `command_line_settings`."""
    parser.add_argument(
        "-c", dest="settings", action="append", default=[], type=_key_and_value, metavar="KEY=VALUE",
        help="override a setting in cdk.json",
    )  # fmt: skip


def _key_and_value(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE, but received {text!r}")
    return key, value


def command_line_settings(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Return the settings of the command line, and `name`, which cdk.json can set as well.

    `expires_after_hours` becomes `expires_at`.

    Raises:
        OperationError: A setting is unknown, invalid, or repeated. The message is one line.
    """
    settings = dict(pairs)
    for key in settings:
        if [name for name, _ in pairs].count(key) > 1:
            raise OperationError(f"Setting {key} is given more than once.")
    if EXPIRES_AFTER_HOURS in settings:
        if "expires_at" in settings:
            raise OperationError(f"Set either expires_at or {EXPIRES_AFTER_HOURS}.")
        settings["expires_at"] = expires_at_after(settings.pop(EXPIRES_AFTER_HOURS))
    try:
        name = Settings.from_context({**cdk_json_context(), **settings}).name
    except SettingError as error:
        raise OperationError(str(error)) from None
    return {**settings, "name": name}


def chooses_expiry(given: Mapping[str, str]) -> bool:
    """Return whether the command line, also with an empty value, or cdk.json sets `expires_at`."""
    return "expires_at" in given or Settings.from_context(cdk_json_context()).expires_at is not None


def make_command(target: str, name: str) -> str:
    """Return the `make` command for the deployment with the setting `name`."""
    return f"make {target}" + ("" if name == cdk_json_context()["name"] else f" name={name}")


def check_sandbox_access(settings: Mapping[str, str]) -> None:
    """Check that `allowed_cidr` contains this machine, for a deployment in an emulator on this machine.

    Raises:
        OperationError: Clients could not reach the deployment.
    """
    address = ipaddress.IPv4Network(LOOPBACK_CIDR)
    cidr = settings.get("allowed_cidr", LOOPBACK_CIDR)
    if not cidr or not address.subnet_of(ipaddress.IPv4Network(cidr)):
        raise OperationError(
            f"Setting allowed_cidr: {cidr!r} does not contain {LOOPBACK_CIDR}, from which you reach an emulator on "
            "this machine. Omit the setting."
        )


@dataclass(frozen=True)
class Recorded:
    """The settings of an existing deployment: those that a user gave, and those that `make deploy` detected."""

    given: Mapping[str, Any] = field(default_factory=dict)
    detected: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, stacks: Mapping[str, DeployedStack]) -> Self:
        """Read the output of the stack `Thumbnails`, on which every stack with a setting depends.

        The exception is `Expiry`, which is deployed before all others and can be deleted on its own.
        """
        stack, expiry = stacks.get("Thumbnails"), stacks.get(EXPIRY)
        recorded = cls(**json.loads(stack.outputs.get("Settings", "{}"))) if stack else cls()
        given = {key: value for key, value in recorded.given.items() if key != "expires_at"}
        if expiry and "ExpiresAt" in expiry.outputs:
            given["expires_at"] = expiry.outputs["ExpiresAt"]
        return cls(given, recorded.detected)


def replaced_consumer(stacks: Mapping[str, DeployedStack], assembly: Assembly) -> set[str]:
    """Return the stack `Workers` if it must be deleted before the deployment of an assembly, which can recreate it.

    If `thumbnails_on` changes, the old consumer of the upload queue must be gone before the new one starts, and a
    cluster keeps a capacity provider that a service uses. The queue keeps the events meanwhile.
    """
    if WORKERS not in stacks:
        return set()
    new = json.loads(assembly.templates()["Thumbnails"]["Outputs"]["Settings"]["Value"])["given"]
    changes = new.get("thumbnails_on") != Recorded.read(stacks).given.get("thumbnails_on")
    return {WORKERS} if changes or WORKERS not in assembly.stacks() else set()


@dataclass(frozen=True)
class Choice:
    """The value of a setting for a deployment.

    Attributes:
        key: The setting.
        value: The value, or None.
        source: Where the value comes from.
        previous: The value of the existing deployment, or of a new one its default.
    """

    key: str
    value: Any
    source: str
    previous: Any

    def __str__(self) -> str:
        change = f"{_text(self.previous)} → " if self.value != self.previous else ""
        return f"{self.key:18} {change}{_text(self.value)} ({self.source})"


def choose_settings(
    given: Mapping[str, str], recorded: Recorded, *, defaults: Mapping[str, str], detect_cidr: Callable[[], str]
) -> list[Choice]:
    """Choose the value of each setting except `name` and `target`.

    The command line comes first, then a value in cdk.json that is not the default, then the value that a user gave for
    the existing deployment. An empty value on the command line resets a setting.

    Args:
        given: Settings of the command line.
        recorded: Settings of the existing deployment.
        defaults: Values that replace the defaults of the app.
        detect_cidr: Detects `allowed_cidr`. Called if no other value is known.
    """
    configured = Settings.from_context(cdk_json_context()).changed()
    choices = []
    for key, default in SETTING_DEFAULTS.items():
        value, source = defaults.get(key, default), "default"
        if given.get(key):
            value, source = _parse(key, given[key]), "command line"
        elif key in given:
            source = "reset by the command line"
        elif key in configured:
            value = configured[key]
            source = REPLACED_SOURCE if recorded.given.get(key, value) != value else "cdk.json"
        elif key in recorded.given:
            value, source = recorded.given[key], "as deployed"
        if key == "allowed_cidr" and value is None:
            value, source = detect_cidr(), DETECTED_SOURCE
        previous = {**recorded.detected, **recorded.given}.get(key, default)
        choices.append(Choice(key, value, source, previous))
    return choices


def _parse(key: str, value: str) -> Any:
    return getattr(Settings.from_context({key: value}), key)


def _text(value: Any) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
