"""The record of billable units, and the comparison with a new one. `tests/e2e/test_recorded_usage.py` records."""

import dataclasses
from typing import Any, get_args

import pytest

from operations.cost.record import differences
from operations.cost.usage import Action, ActionUsage, RecordedUsage
from stacks.support.settings import ThumbnailsOn


@pytest.fixture(scope="module")
def recorded() -> RecordedUsage:
    return RecordedUsage.read()


def test_every_action_is_recorded_and_those_with_uploads_for_each_compute(recorded: RecordedUsage) -> None:
    assert set(recorded.actions) == set(get_args(Action))
    for action in ("upload-s3", "upload-api", "deletion"):
        assert set(recorded.actions[action]) == set(get_args(ThumbnailsOn))
    assert recorded.of("sweep", "fargate") == recorded.of("sweep", "lambda")


def test_no_recorded_unit_is_one_that_nothing_computes(recorded: RecordedUsage) -> None:
    usages = [usage for by_value in recorded.actions.values() for usage in by_value.values()]
    assert not [unit for usage in usages for unit in usage.units() if unit.startswith("uncounted")]


def test_record_is_the_same_after_writing_and_reading(recorded: RecordedUsage, tmp_path: Any) -> None:
    recorded.write(tmp_path / "record.json")
    assert RecordedUsage.read(tmp_path / "record.json") == recorded


def test_units_of_a_batch_are_shared_by_its_photos() -> None:
    usage = ActionUsage(each={"sqs-requests": 1, "s3-put": 3}, batch={"sqs-requests": 2})
    assert usage.units(4) == {"sqs-requests": 1.5, "s3-put": 3}


def _changed(recorded: RecordedUsage, **units: float) -> list[str]:
    usage = recorded.of("upload-s3", "lambda")
    changed = {unit.replace("_", "-"): amount for unit, amount in units.items()}
    measured = dataclasses.replace(usage, each={**usage.each, **changed})
    return differences(recorded, {"upload-s3": measured}, "lambda")


def test_difference_names_action_unit_both_values_and_the_command(recorded: RecordedUsage) -> None:
    each = recorded.of("upload-s3").each
    (line,) = _changed(recorded, s3_get=each["s3-get"] + 0.5)
    for part in ("upload-s3", "s3-get", f" {each['s3-get']} ", f" {each['s3-get'] + 0.5}", "operations.cost.record"):
        assert part in line


def test_bytes_differ_within_a_tolerance_and_new_units_are_differences(recorded: RecordedUsage) -> None:
    stored = recorded.of("upload-s3").each["s3-stored-bytes"]
    assert _changed(recorded, s3_stored_bytes=stored * 1.01) == []
    assert len(_changed(recorded, s3_stored_bytes=stored * 2)) == 1
    assert len(_changed(recorded, dynamodb_read_units=0.5)) == 1
