"""Starts the emulator with the extension: `python -m local.extension`, configured by its environment.

For `local/emulator.py`, which sets that environment; a person starts it with `python -m local up`.
"""

import argparse
import importlib
import os
import shutil
import signal
import sys
import threading

# In this order: the later ones build on the earlier ones.
_EXTENSIONS = [
    "transport",
    "actions",
    "buckets",
    "metrics",
    "events",
    "alarms",
    "budgets",
    "lightsail",
    "resources",
    "roles",
    "decisions",
    "missing_objects",
    "services",
    "images",
    "processes",
    "batch_resources",
    "batch_jobs",
    "waiting",
    "containers",
    "clusters",
    "load_balancers",
    "schedules",
    "functions",
    "rest_apis",
    "access_logs",
]


def _end_with_parent() -> None:
    """End, with all processes of functions and our folder, when standard input closes: our parent was killed."""

    def watch() -> None:
        sys.stdin.buffer.read()
        shutil.rmtree(os.environ["SANDBOX_FOLDER"], ignore_errors=True)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    """Extend the emulator and serve until killed."""
    argparse.ArgumentParser(prog="python -m local.extension", description=__doc__).parse_args()
    try:
        for name in _EXTENSIONS:
            importlib.import_module(f"local.extension.{name}").extend()
    except (AttributeError, KeyError, ImportError) as error:
        sys.exit(f"The installed emulator is not the pinned one ({error}). Run `make setup` to install it again.")
    _end_with_parent()
    from ministack.app import main as serve

    serve()


if __name__ == "__main__":
    main()
