"""cdk-nag with the AwsSolutions pack: each finding is fixed or acknowledged, each acknowledgement has a finding."""

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


def test_every_finding_is_acknowledged(app: App) -> None:
    assert _findings(app) == set()


def test_every_acknowledgement_has_a_finding(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    acknowledged: list[tuple[str, str]] = []

    class Recorder:
        """Records acknowledgements instead of applying them."""

        def __init__(self, construct: IConstruct) -> None:
            self._path = construct.node.path

        @classmethod
        def of(cls, construct: IConstruct) -> "Recorder":
            return cls(construct)

        def acknowledge(self, *rules: Acknowledgment) -> None:
            acknowledged.extend((self._path, rule.id.removeprefix("AwsSolutions::")) for rule in rules)

    monkeypatch.setattr("stacks.support.cdk_nag.Validations", Recorder)
    findings = _findings(app)
    unused = [
        (path, rule)
        for path, rule in acknowledged
        if not any(rule == found and f"{where}/".startswith(f"{path}/") for where, found in findings)
    ]
    assert unused == []


def _findings(app: App) -> set[tuple[str, str]]:
    """Findings that are not acknowledged: construct path and rule."""
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
