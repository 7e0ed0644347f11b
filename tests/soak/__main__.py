"""The soak on the command line: `python -m tests.soak`, or `make soak`."""

import argparse
import secrets
import sys
import time

from local.errors import SandboxError
from local.sandbox import running_sandbox
from tests.soak.run import soak
from tests.soak.storm import Storm


def main() -> None:
    """Run it in a sandbox of its own. Exits with 1 and what is wrong when anything is, with 2 for wrong arguments."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Everything goes wrong; nothing is lost.")
    parser.add_argument("--photos", type=int, default=1000, help="how many are uploaded, most of them once")
    parser.add_argument("--clients", type=int, default=16, help="how many upload and delete at the same time")
    parser.add_argument("--share", type=float, default=0.2, help="of the functions' calls that fail, from 0 to 1")
    parser.add_argument("--kill", type=float, default=0.01, help="of the calls at which a function is killed")
    parser.add_argument("--seed", default=secrets.token_hex(4), help="for the same photos and steps once more")
    given = parser.parse_args()
    usual = all(getattr(given, name) == parser.get_default(name) for name in ("photos", "clients", "share", "kill"))
    storm = Storm(
        given.seed, given.share, given.kill, sweeps=6, functions=6, spread=150, hidden=10, late=30, patience=1800
    )
    start = time.monotonic()
    try:
        with running_sandbox() as sandbox:
            sandbox.deploy("Cron")
            print(f"\nSeed {given.seed}")
            happened = soak(sandbox, storm, photos=given.photos, clients=given.clients, again=given.photos // 5)
    except SandboxError as error:
        sys.exit(f"\n{error}\nThe same photos and steps again: python -m local.soak --seed {given.seed}")
    except KeyboardInterrupt:
        sys.exit("\nStopped; nothing is left.")
    print(f"\nNothing was lost, in {time.monotonic() - start:.0f} s.")
    if usual and (lacking := happened.lacks()):
        sys.exit("\n  ".join(["But too little went wrong to prove anything:", *lacking]))
    print("\n".join([happened.delivery, happened.failures, happened.interruptions, happened.end]))


if __name__ == "__main__":
    main()
