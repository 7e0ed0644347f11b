"""Which permission covers which decision, by the emulator's own policy evaluation."""

import dataclasses
import json
from pathlib import Path
from subprocess import Popen
from typing import cast

import pytest
from ministack.core.iam_evaluator import EvalContext

from local.emulator import Emulator
from tests.permissions.authorization import AuthorizationLog, Decision
from tests.permissions.roles import Permission, Role

OBJECT = "arn:aws:s3:::bucket/albums/1/album.pdf"
FROM_OFFICE = '{"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}'


def _request(action: str = "s3:GetObject", resource: str = OBJECT, address: str = "192.0.2.1") -> EvalContext:
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


def _permission(role: str = "reader", action: str = "s3:GetObject", conditions: str = "") -> Permission:
    return Permission(Role("Some/Role", role), "policy", action, "arn:aws:s3:::bucket/albums/*", "label", conditions)


def test_authorization_log_returns_each_complete_line_once(tmp_path: Path) -> None:
    emulator = Emulator(0, tmp_path, tmp_path / "log", cast("Popen[bytes]", None), "", "")
    line = json.dumps({"request": dataclasses.asdict(_request()), "allowed": True}).encode() + b"\n"
    with AuthorizationLog(emulator) as log:
        (file,) = tmp_path.iterdir()
        file.write_bytes(line + line[:20])
        (decision,) = log.read_new()
        assert (decision.role, decision.request, decision.allowed) == ("reader", _request(), True)
        assert log.read_new() == []
        with file.open("ab") as lines:
            lines.write(line[20:])
        assert log.read_new() == [decision]
    assert list(tmp_path.iterdir()) == [], "the emulator logs only while the file exists"


@pytest.mark.parametrize(
    ("permission", "request_"),
    [
        (_permission(role="writer"), _request()),
        (_permission(action="s3:PutObject"), _request()),
        (_permission(), _request(resource="arn:aws:s3:::bucket/reports/1")),
        (_permission(conditions=FROM_OFFICE), _request(address="198.51.100.1")),
    ],
    ids=["role", "action", "resource", "condition"],
)
def test_permission_does_not_cover_other_requests(permission: Permission, request_: EvalContext) -> None:
    assert not permission.covers(Decision(request_, True))


def test_permission_covers_allowed_and_denied_requests_that_match() -> None:
    permission = _permission(conditions=FROM_OFFICE)
    assert all(permission.covers(Decision(_request(), allowed)) for allowed in (True, False))
    assert permission.scope == "label if aws:SourceIp IpAddress 192.0.2.0/24"
