"""What roles were allowed and denied: a line of JSON each, in the file `authorization.jsonl` of the sandbox's folder.

Each line has the whole request as the emulator saw it, so that whoever reads it can hold it against a policy himself.
Nothing is written unless the file is there: whoever wants to know makes it.
"""

import dataclasses
import json
import os
import threading
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator

_writing = threading.Lock()

# Whether the policy of a resource is asked, not that of the role.
_of_a_resource: ContextVar[bool] = ContextVar("of_a_resource", default=False)


def extend() -> None:
    """Write down what is decided about the policies of roles, whoever asks."""
    evaluate, evaluate_resource_policy = iam_evaluator.evaluate, iam_evaluator.evaluate_resource_policy
    file = Path(os.environ["SANDBOX_FOLDER"]) / "authorization.jsonl"

    def evaluate_and_record(asked: Any, policies: Any, *limits: Any) -> Any:
        result = evaluate(asked, policies, *limits)
        if asked.principal_type == "AssumedRole" and not _of_a_resource.get() and file.exists():
            decision = {"request": dataclasses.asdict(asked), "allowed": result.decision == "Allow"}
            with _writing, file.open("a") as lines:
                lines.write(json.dumps(decision, default=str) + "\n")
        return result

    def evaluate_apart(*args: Any, **options: Any) -> Any:
        token = _of_a_resource.set(True)
        try:
            return evaluate_resource_policy(*args, **options)
        finally:
            _of_a_resource.reset(token)

    iam_evaluator.evaluate = evaluate_and_record
    iam_evaluator.evaluate_resource_policy = evaluate_apart
