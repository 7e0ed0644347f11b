"""The work of the thumbnail function, and of Lambda, which reads its queue in its name."""

import json
from typing import Any
from uuid import uuid4

from tests.permissions.trial import PREFIX, Failed, Trial, probe

_FUNCTION = "Thumbnails/Function"


@probe()
def uploaded(trial: Trial) -> None:
    """A photo put into the bucket is ready."""
    _ready_photo(trial)


@probe()
def deleted(trial: Trial) -> None:
    """A deleted photo takes its thumbnails and its item along."""
    key = _ready_photo(trial)
    thumbnails = trial.bench.item(key)["thumbnails"].values()
    trial.bench.s3.delete_object(Bucket=trial.bench.originals, Key=key)
    trial.until("its item is gone", lambda: not trial.bench.item(key))
    trial.until("its thumbnails are gone", lambda: not any(map(trial.bench.there, thumbnails)))


@probe()
def replaced_meanwhile(trial: Trial) -> None:
    """An event of an upload that was replaced meanwhile is done with."""
    _handle(trial, trial.bench.photo)


@probe()
def deleted_meanwhile(trial: Trial) -> None:
    """An event of an upload that was deleted meanwhile is done with."""
    _handle(trial, f"{PREFIX}{uuid4().hex}.png")


def _ready_photo(trial: Trial) -> str:
    key = trial.bench.upload_photo()
    trial.until("the photo is ready", lambda: trial.bench.item(key).get("state") == "ready")
    return key


def _handle(trial: Trial, key: str) -> None:
    """Give the function an event that comes late. Raises Failed if it wants it once more."""
    upload = {"key": key, "eTag": "0" * 32, "sequencer": "00"}
    notification: dict[str, Any] = {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": upload}}]}
    event = {"Records": [{"messageId": "late", "body": json.dumps(notification)}]}
    if failures := trial.bench.invoke(trial.bench.names.of(_FUNCTION), event)["batchItemFailures"]:
        raise Failed(f"the function failed: {failures}")
