"""Starts the emulator with the extension: `python -m local.extension`, configured by its environment."""

import os
import shutil
import signal
import sys
import threading

from local.extension import (
    actions,
    alarms,
    batch_jobs,
    batch_resources,
    buckets,
    budgets,
    images,
    lightsail,
    processes,
    resources,
    roles,
    transport,
)


def _end_with_parent() -> None:
    """End, with all processes of functions and our folder, when standard input closes: our parent was killed."""

    def watch() -> None:
        sys.stdin.buffer.read()
        shutil.rmtree(os.environ["SANDBOX_FOLDER"], ignore_errors=True)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    """Extend the emulator and serve until killed."""
    try:
        transport.extend()
        actions.extend()
        buckets.extend()
        alarms.extend()
        budgets.extend()
        lightsail.extend()
        resources.extend()
        roles.extend()
        images.extend()
        processes.extend()
        batch_resources.extend()
        batch_jobs.extend()
    except (AttributeError, KeyError, ImportError) as error:
        sys.exit(f"The installed emulator is not the pinned one ({error}). Run `make setup` to install it again.")
    _end_with_parent()
    from ministack.app import main as serve

    serve()


if __name__ == "__main__":
    main()
