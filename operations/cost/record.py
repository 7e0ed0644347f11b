"""Records the billable units of each action in the sandbox, for maintainers: `python -m operations.cost.record`.

Takes some minutes for each value of `thumbnails_on`, and writes `recorded_usage.json`. `usage.py` describes actions and
units.
"""

import argparse
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, get_args

from local.console import heading, step
from local.errors import SandboxError
from local.sandbox import running_sandbox
from operations.cost.recorder import ALBUM_PHOTOS, MEGAPIXELS, PAGE_PHOTOS, SWEEP_PHOTOS, Recorder, photo
from operations.cost.usage import RECORD, Action, ActionUsage, RecordedUsage
from operations.errors import OperationError
from stacks.support.settings import ThumbnailsOn

_STACKS: Final[Mapping[ThumbnailsOn, tuple[str, ...]]] = {
    "lambda": ("Api", "Cron"),
    "lambda-image": ("Api",),
    "fargate": ("Api", "Workers"),
    "ec2": ("Api", "Workers"),
}
_COMMAND: Final = "python -m operations.cost.record"
# Units that differ by this share: lines of logs contain durations and ids, and images differ by processor.
_TOLERANCE: Final = 0.05


def differences(recorded: RecordedUsage, measured: Mapping[Action, ActionUsage], value: ThumbnailsOn) -> list[str]:
    """Return one line for each unit that is not as recorded: numbers of requests exactly, bytes within a tolerance."""
    return [
        f"{action} with thumbnails_on={value}: {unit} for each {scope} was {_text(before.get(unit, 0))} and is now "
        f"{_text(after.get(unit, 0))}. If this is intended, run `{_COMMAND} {value}` and `python -m tools.tables`."
        for action, usage in measured.items()
        for scope, before, after in (
            (action, recorded.of(action, value).each, usage.each),
            ("batch of messages", recorded.of(action, value).batch, usage.batch),
        )
        for unit in {**before, **after}
        if _differs(unit, before.get(unit, 0), after.get(unit, 0))
    ]


def _differs(unit: str, before: float, after: float) -> bool:
    tolerance = _TOLERANCE * abs(before) if "bytes" in unit else 0
    return abs(after - before) > tolerance


def _text(amount: float) -> str:
    return f"{amount:,.2f}".rstrip("0").rstrip(".")


def record(value: ThumbnailsOn) -> dict[Action, ActionUsage]:
    """Deploy with this value of `thumbnails_on` to a new sandbox, and return the units of the actions."""
    heading(f"thumbnails_on={value}")
    with running_sandbox(context={"thumbnails_on": value}) as sandbox:
        sandbox.deploy(*_STACKS[value])
        recorder = Recorder(sandbox, value)
        with step("Upload and delete photos"):
            usage = recorder.record_uploads()
        if value == "lambda":
            with step("Create an album, view a page, and sweep"):
                usage |= recorder.record_copies()
    return usage


def main() -> None:
    """Record the billable units of each action in the sandbox, and write operations/cost/recorded_usage.json."""
    parser = argparse.ArgumentParser(prog=_COMMAND, description=main.__doc__)
    values = get_args(ThumbnailsOn)
    parser.add_argument("thumbnails_on", nargs="*", choices=values, default=values, help="default: all")
    for value in parser.parse_args().thumbnails_on:
        usage = record(value)
        actions = {action: dict(by_value) for action, by_value in RecordedUsage.read().actions.items()}
        for action, units in usage.items():
            actions[action][value] = units
        RecordedUsage(
            date=f"{datetime.now(UTC):%Y-%m-%d}",
            photo_bytes=len(photo()),
            megapixels=MEGAPIXELS,
            page_photos=PAGE_PHOTOS,
            album_photos=ALBUM_PHOTOS,
            sweep_photos=SWEEP_PHOTOS,
            actions=actions,
        ).write()
        print(f"Wrote {RECORD}")


if __name__ == "__main__":
    try:
        main()
    except (OperationError, SandboxError) as error:
        sys.exit(str(error))
