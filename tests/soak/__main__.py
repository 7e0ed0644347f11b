"""Run the soak test: `python -m tests.soak`, or `make soak`."""

import argparse
import secrets
import sys
import time
from typing import get_args

from local.errors import SandboxError
from local.sandbox import running_sandbox
from stacks.support.settings import Settings, ThumbnailsOn
from tests.soak.event_injector import DUPLICATE_RATE
from tests.soak.run import soak
from tests.soak.workload import SoakSettings

_PHOTOS = 1000

# How much faster than the clock metrics and alarms are, so that the workers scale during the soak.
_METRIC_SPEED = 10


def main() -> None:
    """Run the soak test in a new sandbox.

    Exits with status 1 and the problems if there are any, and with status 2 for invalid arguments.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak", description="Upload photos while calls fail and processes die; check the result."
    )
    parser.add_argument("--photos", type=int, default=_PHOTOS, help="number of photos; most are uploaded once")
    parser.add_argument("--seed", default=secrets.token_hex(4), help="repeats the photos and requests of a run")
    parser.add_argument(
        "--thumbnails-on",
        choices=get_args(ThumbnailsOn),
        default=Settings.thumbnails_on,
        help="the setting thumbnails_on",
    )
    options = parser.parse_args()
    settings = SoakSettings(
        seed=options.seed,
        photos=options.photos,
        clients=16,
        changed_photos=options.photos // 5,
        error_rate=0.2,
        kill_rate=0.01,
        sweeps=6,
        duration=150,
        visibility_timeout=10,
        max_delay=30,
        timeout=1800,
    )
    start = time.monotonic()
    stacks = ["Cron", "Workers"] if options.thumbnails_on in ("fargate", "ec2") else ["Cron"]
    try:
        with running_sandbox(context={"thumbnails_on": options.thumbnails_on}) as sandbox:
            sandbox.deploy(*stacks)
            print(f"\nSeed {options.seed}")
            with sandbox.emulator.accelerated_metrics(_METRIC_SPEED):
                report = soak(sandbox, settings)
    except SandboxError as error:
        repeat = f"make soak SEED={options.seed} thumbnails_on={options.thumbnails_on}"
        sys.exit(f"\n{error}\nTo repeat the photos and requests: {repeat}")
    except KeyboardInterrupt:
        sys.exit("\nStopped. No resources remain.")
    missing = report.missing_faults(settings.error_rate, DUPLICATE_RATE)
    if missing and options.photos >= _PHOTOS:  # a shorter soak need not contain every fault
        sys.exit("\n  ".join(["\nThe result is correct, but too few faults occurred to prove anything:", *missing]))
    print(f"\nNo photo was lost ({time.monotonic() - start:.0f} s).")


if __name__ == "__main__":
    main()
