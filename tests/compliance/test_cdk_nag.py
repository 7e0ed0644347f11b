"""cdk-nag, pack AwsSolutions: each finding is mended, or acknowledged where it arises with a reason still needed."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Acknowledgment, App, Validations
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct

from app import build


@pytest.fixture(params=[None, "203.0.113.7/32"], ids=["closed", "open to one address"])
def app(context: dict[str, Any], tmp_path: Path, request: pytest.FixtureRequest) -> App:
    return App(context={**context, "allowed_cidr": request.param}, outdir=str(tmp_path))


def test_every_finding_has_a_reason(app: App) -> None:
    assert _findings(app) == set()


def test_every_reason_has_a_finding(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    reasons: list[tuple[str, str]] = []

    class Recorder:
        def __init__(self, construct: IConstruct) -> None:
            self._path = construct.node.path

        @classmethod
        def of(cls, construct: IConstruct) -> "Recorder":
            return cls(construct)

        def acknowledge(self, *rules: Acknowledgment) -> None:
            reasons.extend((self._path, rule.id.removeprefix("AwsSolutions::")) for rule in rules)

    monkeypatch.setattr("stacks.support.cdk_nag.Validations", Recorder)
    findings = _findings(app)
    unused = [
        (path, rule)
        for path, rule in reasons
        if not any(rule == found and f"{where}/".startswith(f"{path}/") for where, found in findings)
    ]
    assert unused == []


def _findings(app: App) -> set[tuple[str, str]]:
    """What cdk-nag finds and is not acknowledged: construct path and rule."""
    Validations.of(build(app)).add_plugins(AwsSolutionsChecks())
    report = Path(app.outdir) / "validation-report.json"
    try:
        app.synth()
    except RuntimeError:
        assert report.exists()
    if not report.exists():
        return set()
    return {
        (construct["constructPath"], violation["ruleName"])
        for plugin in json.loads(report.read_text())["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    }
