"""Run the soak test: `python -m tests.soak`, or `make soak`."""

import argparse
import secrets
import sys
import time

from local.errors import SandboxError
from local.sandbox import running_sandbox
from tests.soak.event_injector import DUPLICATE_RATE
from tests.soak.run import soak
from tests.soak.workload import SoakSettings


def main() -> None:
    """Run the soak test in a new sandbox.

    Exits with status 1 and the problems if there are any, and with status 2 for invalid arguments.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak", description="Upload photos while calls fail and processes die; check the result."
    )
    parser.add_argument("--photos", type=int, default=1000, help="number of photos; most are uploaded once")
    parser.add_argument("--clients", type=int, default=16, help="number of concurrent clients")
    parser.add_argument("--error-rate", type=float, default=0.2, help="fraction of AWS calls that fail, 0 to 1")
    parser.add_argument("--kill-rate", type=float, default=0.01, help="fraction of AWS calls at which a process dies")
    parser.add_argument("--seed", default=secrets.token_hex(4), help="repeats the photos and requests of a run")
    options = parser.parse_args()
    settings = SoakSettings(
        **vars(options),
        changed_photos=options.photos // 5,
        sweeps=6,
        duration=150,
        visibility_timeout=10,
        max_delay=30,
        timeout=1800,
    )
    start = time.monotonic()
    try:
        with running_sandbox() as sandbox:
            sandbox.deploy("Cron")
            print(f"\nSeed {options.seed}")
            report = soak(sandbox, settings)
    except SandboxError as error:
        sys.exit(f"\n{error}\nTo repeat the photos and requests: make soak SEED={options.seed}")
    except KeyboardInterrupt:
        sys.exit("\nStopped. No resources remain.")
    missing = report.missing_faults(settings.error_rate, DUPLICATE_RATE)
    if missing and _is_default(parser, options):  # a shorter soak need not contain every fault
        sys.exit("\n  ".join(["\nThe result is correct, but too few faults occurred to prove anything:", *missing]))
    print(f"\nNo photo was lost ({time.monotonic() - start:.0f} s).")


def _is_default(parser: argparse.ArgumentParser, options: argparse.Namespace) -> bool:
    return vars(options) == vars(parser.parse_args(["--seed", options.seed]))


if __name__ == "__main__":
    main()
