"""What roles were allowed and denied: a line of JSON each, in the file `decisions.jsonl` of the sandbox's folder.

Nothing is written unless the file is there: whoever wants to know makes it.
"""

import json
import os
import threading
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator

_writing = threading.Lock()


def extend() -> None:
    """Write down what is decided about the policies of roles, whoever asks."""
    evaluate = iam_evaluator.evaluate
    file = Path(os.environ["SANDBOX_FOLDER"]) / "decisions.jsonl"

    def evaluate_and_record(asked: Any, policies: Any, *limits: Any) -> Any:
        result = evaluate(asked, policies, *limits)
        if asked.principal_type == "AssumedRole" and file.exists():
            decision = {
                "role": asked.principal_arn.split("/")[1],
                "action": asked.action,
                "resource": asked.resource_arn,
                "allowed": result.decision == "Allow",
            }
            with _writing, file.open("a") as lines:
                lines.write(json.dumps(decision) + "\n")
        return result

    iam_evaluator.evaluate = evaluate_and_record
