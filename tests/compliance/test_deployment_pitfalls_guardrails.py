"""Pitfalls of budgets and topics: each has broken a deployment by CloudFormation or lost messages."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.templates import Resources, of_type, only, read_resources

pytestmark = pytest.mark.guarantee("Deploys the first time")


def test_budget_has_no_fixed_name(assembly: Path) -> None:
    """A changed alert address replaces the budget, and two budgets cannot share a name."""
    _, budget = only(read_resources(assembly, "Budget"), "AWS::Budgets::Budget")
    assert "BudgetName" not in budget["Budget"]


@pytest.mark.parametrize("settings", [{}, {"alert_email": "me@example.com"}], ids=["topic", "e-mail"])
def test_failed_budget_rolls_back_nothing_else(synthesize: Callable[..., Path], settings: dict[str, str]) -> None:
    """Budgets fail in some accounts ("linked account … ask the payer account"). The CDK CLI deploys the budget last, so
    all other stacks exist by then."""
    assembly = synthesize(**settings)
    assert {it["Type"] for it in read_resources(assembly, "Budget").values()} == {"AWS::Budgets::Budget"}
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    assert "Guardrails" in artifacts["Budget"]["dependencies"]
    assert not [name for name, artifact in artifacts.items() if "Budget" in artifact.get("dependencies", [])]


def test_topic_is_not_encrypted_with_a_kms_key(guardrails: Resources) -> None:
    """Neither EventBridge nor Budgets can use `alias/aws/sns`: their messages would be lost without an error."""
    _, topic = only(guardrails, "AWS::SNS::Topic")
    assert "KmsMasterKeyId" not in topic


def test_eventbridge_publishes_with_a_role(guardrails: Resources) -> None:
    """A topic policy for EventBridge supports no conditions ("Amazon SNS permissions" in its guide)."""
    for rule in of_type(guardrails, "AWS::Events::Rule").values():
        assert all("RoleArn" in target for target in rule["Properties"]["Targets"])
    assert "events.amazonaws.com" not in str(of_type(guardrails, "AWS::SNS::TopicPolicy"))


@pytest.mark.guarantee("Closed")
def test_topic_requires_tls(guardrails: Resources) -> None:
    _, policy = only(guardrails, "AWS::SNS::TopicPolicy")
    (deny,) = [it for it in policy["PolicyDocument"]["Statement"] if it["Effect"] == "Deny"]
    assert deny["Action"] == "sns:Publish"
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
