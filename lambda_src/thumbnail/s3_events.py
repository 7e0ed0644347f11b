"""Translates S3 events into calls of the thumbnailer, which `photos/thumbnails.py` implements."""

import json
from typing import Any
from urllib.parse import unquote_plus

from photos.event_ordering import Upload
from photos.thumbnails import Outcome, Thumbnailer


def process_notification(notification: str, thumbnailer: Thumbnailer) -> str:
    """Process the events in a notification (JSON). Returns their outcomes for the log.

    Raises:
        ValueError: The notification is not JSON or contains an unknown event.
        KeyError: The notification lacks a field.
    """
    # S3 sends one test message without records when a notification is configured.
    outcomes = []
    for record in json.loads(notification).get("Records", []):
        key = unquote_plus(record["s3"]["object"]["key"])
        outcome = _process_event(record["eventName"], key, record["s3"]["object"], thumbnailer)
        outcomes.append(f"{outcome}, {key!r} ({record['eventName']})")
    return "; ".join(outcomes) or "no events"


def _process_event(event_name: str, key: str, s3_object: dict[str, Any], thumbnailer: Thumbnailer) -> Outcome:
    if event_name.startswith("ObjectRemoved:"):
        return thumbnailer.process_deletion(key, s3_object["sequencer"])
    if event_name.startswith("ObjectCreated:"):
        return thumbnailer.process_upload(key, Upload(s3_object["eTag"], s3_object["sequencer"]))
    raise ValueError(f"unknown event {event_name}")
