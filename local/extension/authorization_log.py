"""IAM: a log of the requests that role policies allowed and denied.

The log is the file `authorization.jsonl` in the sandbox folder, one JSON object for each decision. It holds the whole
request as the emulator evaluated it, so that a test can compare it with a policy. To turn the log on, create the file.
"""

import dataclasses
import json
import os
import threading
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator

_lock = threading.Lock()

# True while the emulator evaluates a resource policy.
_is_resource_policy: ContextVar[bool] = ContextVar("is_resource_policy", default=False)


def extend() -> None:
    """Log each evaluation of identity policies for a role."""
    evaluate, evaluate_resource_policy = iam_evaluator.evaluate, iam_evaluator.evaluate_resource_policy
    file = Path(os.environ["SANDBOX_FOLDER"]) / "authorization.jsonl"

    def evaluate_and_log(request: Any, policies: Any, *limits: Any) -> Any:
        result = evaluate(request, policies, *limits)
        if request.principal_type == "AssumedRole" and not _is_resource_policy.get() and file.exists():
            decision = {"request": dataclasses.asdict(request), "allowed": result.decision == "Allow"}
            with _lock, file.open("a") as lines:
                lines.write(json.dumps(decision, default=str) + "\n")
        return result

    def evaluate_without_log(*args: Any, **options: Any) -> Any:
        token = _is_resource_policy.set(True)
        try:
            return evaluate_resource_policy(*args, **options)
        finally:
            _is_resource_policy.reset(token)

    iam_evaluator.evaluate = evaluate_and_log
    iam_evaluator.evaluate_resource_policy = evaluate_without_log
