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
    "s3_buckets",
    "cloudwatch_metrics",
    "service_events",
    "cloudwatch_alarms",
    "budgets",
    "lightsail",
    "resources",
    "iam_roles",
    "authorization_log",
    "missing_objects",
    "execution_roles",
    "container_images",
    "container_processes",
    "batch_resources",
    "batch_jobs",
    "waiting",
    "ecs_tasks",
    "ecs_resources",
    "load_balancers",
    "eventbridge_scheduler",
    "lambda_logs",
    "rest_apis",
    "api_access_logs",
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
