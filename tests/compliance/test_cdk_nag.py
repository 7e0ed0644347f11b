"""cdk-nag with the AwsSolutions pack: each finding is fixed or acknowledged, each acknowledgement has a finding."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Acknowledgment, App, Validations
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct

from app import build

# Construct path and rule.
_Rule = tuple[str, str]


_OPEN = {"allowed_cidr": "203.0.113.7/32"}


@pytest.fixture(
    scope="module",
    params=[
        {},
        *(
            pytest.param(settings, marks=pytest.mark.slow)
            for settings in (
                {**_OPEN, "thumbnails_on": "lambda-image", "expires_at": "2026-11-28T20:00:00Z"},
                {**_OPEN, "thumbnails_on": "fargate"},
                {"thumbnails_on": "ec2"},
            )
        ),
    ],
    ids=["closed, lambda", "open, lambda-image, expires", "open, fargate", "closed, ec2"],
)
def nag(
    context: dict[str, Any], tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> tuple[set[_Rule], set[_Rule]]:
    """All findings and all acknowledgements of the app."""
    acknowledged: set[_Rule] = set()

    class Recorder:
        """Records acknowledgements instead of applying them."""

        def __init__(self, construct: IConstruct) -> None:
            self._path = construct.node.path

        @classmethod
        def of(cls, construct: IConstruct) -> "Recorder":
            return cls(construct)

        def acknowledge(self, *rules: Acknowledgment) -> None:
            acknowledged.update((self._path, rule.id.removeprefix("AwsSolutions::")) for rule in rules)

    folder = tmp_path_factory.mktemp("cdk.out")
    app = App(context={**context, **request.param}, outdir=str(folder))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stacks.support.cdk_nag.Validations", Recorder)
        Validations.of(build(app)).add_plugins(AwsSolutionsChecks())
        with pytest.raises(RuntimeError):  # the findings
            app.synth()
    report = json.loads((Path(folder) / "validation-report.json").read_text())
    findings = {
        (construct["constructPath"], violation["ruleName"])
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    }
    return findings, acknowledged


def _covers(acknowledgement: _Rule, finding: _Rule) -> bool:
    """An acknowledgement covers its construct and all constructs below."""
    return acknowledgement[1] == finding[1] and f"{finding[0]}/".startswith(f"{acknowledgement[0]}/")


def test_every_finding_is_acknowledged(nag: tuple[set[_Rule], set[_Rule]]) -> None:
    findings, acknowledged = nag
    assert findings
    assert {it for it in findings if not any(_covers(acknowledgement, it) for acknowledgement in acknowledged)} == set()


def test_every_acknowledgement_has_a_finding(nag: tuple[set[_Rule], set[_Rule]]) -> None:
    findings, acknowledged = nag
    assert {it for it in acknowledged if not any(_covers(it, finding) for finding in findings)} == set()
