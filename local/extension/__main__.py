"""Start the emulator with the extensions: `python -m local.extension`, configured by environment variables.

`local/emulator.py` sets these variables. Users run `python -m local up`.
"""

import argparse
import importlib
import importlib.metadata
import os
import re
import shutil
import signal
import sys
import threading
from pathlib import Path

_REQUIREMENTS = Path(__file__).parent.parent.parent / "requirements.txt"

# The order matters where two modules replace the same function: the later one calls the earlier one.
_MODULES = [
    "access_control",
    "iam_authorization",
    "authorization_log",
    "s3_buckets",
    "change_sets",
    "cloudwatch_metrics",
    "service_events",
    "cloudwatch_alarms",
    "budgets",
    "lightsail",
    "execution_roles",
    "container_images",
    "lambda_images",
    "batch_resources",
    "batch_jobs",
    "ecs_tasks",
    "ecs_resources",
    "application_auto_scaling",
    "load_balancers",
    "message_move_tasks",
    "eventbridge_scheduler",
    "lambda_lifecycle",
    "lambda_logs",
    "rest_apis",
    "api_access_logs",
    "billable_units",
    "measurements",
]


def main() -> None:
    """Extend the emulator and serve until the process is stopped."""
    argparse.ArgumentParser(prog="python -m local.extension", description=__doc__).parse_args()
    _check_version()
    for name in _MODULES:
        importlib.import_module(f"local.extension.{name}").extend()
    _end_with_parent()
    from ministack.app import main as serve

    serve()


def _check_version() -> None:
    """Stop if the installed emulator is not the pinned version, whose private functions the modules replace."""
    (pinned,) = re.findall(r"^ministack==(\S+)", _REQUIREMENTS.read_text(), re.MULTILINE)
    installed = importlib.metadata.version("ministack")
    if installed != pinned:
        sys.exit(f"ministack {installed} is installed, but {pinned} is required. Run `make setup`.")


def _end_with_parent() -> None:
    """When standard input closes because the parent ended, remove the sandbox folder and end the process group."""

    def watch() -> None:
        sys.stdin.buffer.read()
        shutil.rmtree(os.environ["SANDBOX_FOLDER"], ignore_errors=True)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    main()
