"""Decisions as the sandbox writes them down, held against statements as the emulator itself compares them."""

import dataclasses
import json
import os
from pathlib import Path
from subprocess import Popen
from typing import cast

import pytest
from ministack.core.iam_evaluator import EvalContext

from local.emulator import Emulator
from tests.permissions.decisions import Decision, Decisions
from tests.permissions.grants import Grant, Role

OBJECT = "arn:aws:s3:::bucket/albums/1/album.pdf"


def asked(action: str = "s3:GetObject", resource: str = OBJECT, address: str = "192.0.2.1") -> EvalContext:
    return EvalContext(
        "arn:aws:sts::111122223333:assumed-role/reader/session",
        "AssumedRole",
        "111122223333",
        action,
        resource,
        "us-east-1",
        source_ip=address,
        secure_transport=True,
    )


def grant(role: str = "reader", action: str = "s3:GetObject", conditions: str = "") -> Grant:
    return Grant(Role("Some/Role", role), "policy", action, "arn:aws:s3:::bucket/albums/*", "told", conditions)


@pytest.fixture
def emulator(tmp_path: Path) -> Emulator:
    return Emulator(0, tmp_path, tmp_path / "log", cast("Popen[bytes]", None))


def test_each_decision_is_read_once_and_whole(emulator: Emulator) -> None:
    line = json.dumps({"request": dataclasses.asdict(asked()), "allowed": True}).encode()
    with Decisions(emulator) as decisions:
        file = emulator.folder / "authorization.jsonl"
        file.write_bytes(line + b"\n" + line[:20])
        (made,) = decisions.new()
        assert (made.role, made.asked, made.allowed) == ("reader", asked(), True)
        assert decisions.new() == []
        with file.open("ab") as lines:
            lines.write(line[20:] + b"\n")
        assert decisions.new() == [made]
    assert os.listdir(emulator.folder) == [], "nothing is written down when nobody reads it"


@pytest.mark.parametrize("allowed", [True, False])
def test_a_right_covers_what_it_is_for_whether_allowed_or_denied(allowed: bool) -> None:
    assert grant().covers(Decision(asked(), allowed))


@pytest.mark.parametrize(
    "other",
    [
        grant(role="writer"),
        grant(action="s3:PutObject"),
        grant(conditions='{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}'),
    ],
    ids=["role", "action", "condition"],
)
def test_a_right_covers_nothing_else(other: Grant) -> None:
    assert not other.covers(Decision(asked(), True))
    assert not grant().covers(Decision(asked(resource="arn:aws:s3:::bucket/reports/1"), True))


def test_conditions_count() -> None:
    here = grant(conditions='{"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}')
    assert here.covers(Decision(asked(), True))
    assert not here.covers(Decision(asked(address="198.51.100.1"), True))
    assert str(here) == "s3:GetObject on told if aws:SourceIp IpAddress 192.0.2.0/24"
