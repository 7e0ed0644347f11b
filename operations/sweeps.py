"""Dead letters of the sweep: nights on which it could not be started, or failed."""

import json
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config

from operations.letters import DeadLetters, Letter, Mode

# One run has 15 minutes; a call that is tried again would start another.
_CONFIG = Config(read_timeout=16 * 60, retries={"mode": "standard", "total_max_attempts": 1}, tcp_keepalive=True)


class Sweeps:
    """The function of a deployed Cron stack, and the dead-letter queue of function and schedule."""

    def __init__(self, session: boto3.Session, outputs: Mapping[str, str]) -> None:
        self._function = outputs["SweepFunction"]
        self._lambda = session.client("lambda", config=_CONFIG)
        self._dead = DeadLetters(session.client("sqs"), outputs["DeadLetterQueueUrl"])

    def redrive(self, mode: Mode) -> tuple[int, int]:
        """Show every letter and run the sweep again from where it was. Returns how many succeeded, how many are left.

        We wait for each run: what fails again never left, so none was sent before and every mode but LOOK is the same.
        Letters of sweeps that had not got anywhere are all answered by one run.
        """
        letters = self._dead.take()
        kept = {letter.id: letter for letter in letters}
        outcomes: dict[str, str | None] = {}
        try:
            for letter in letters:
                event, why = _event(letter), _why(letter)
                print(f"  A sweep {_progress(event)}, {letter.sent_at:%Y-%m-%d %H:%M:%S} UTC\n      {why}")
                if mode is Mode.LOOK:
                    continue
                key = json.dumps(event)
                if key not in outcomes:
                    print("Running it again, which may take 15 minutes.")
                    outcomes[key] = self._run(event)
                if outcomes[key] is None:
                    self._dead.delete(kept.pop(letter.id))
        finally:
            self._dead.give_back(kept.values())
        return len(letters) - len(kept), len(kept)

    def _run(self, event: Mapping[str, Any]) -> str | None:
        """Why it failed; None if it did not."""
        answer = self._lambda.invoke(FunctionName=self._function, Payload=json.dumps(event))
        said: dict[str, Any] = json.load(answer["Payload"])
        if "FunctionError" in answer:
            problem = f"{said.get('errorType')}: {said.get('errorMessage')}"
            print(f"  It failed again: {problem}")
            return problem
        if said["phase"] == "done":
            print("  It is done: " + ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in said["counts"].items()))
        else:
            print(f"  It goes on by itself, in run {said['runs']}.")
        return None


def _event(letter: Letter) -> dict[str, Any]:
    """What the function was or would have been called with, as far as it matters."""
    content = _json(letter.body)
    given = content.get("requestPayload", content)
    return {"progress": given["progress"]} if isinstance(given, dict) and "progress" in given else {}


def _progress(event: Mapping[str, Any]) -> str:
    progress = event.get("progress")
    return f"that had come to {progress['phase']}, {progress['after']!r}" if progress else "from its beginning"


def _why(letter: Letter) -> str:
    """As Lambda says it in the message (destination "on failure"), or EventBridge Scheduler beside it."""
    content = _json(letter.body)
    if "requestContext" in content:
        error = content.get("responsePayload") or {}
        said = f"{error.get('errorType')}: {error.get('errorMessage')}" if error else "It said nothing."
        return f"It failed ({content['requestContext'].get('condition')}). {said}"
    code, message = (letter.attributes.get(name, "?") for name in ("ERROR_CODE", "ERROR_MESSAGE"))
    return f"It could not be started. {code}: {message}"


def _json(text: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
