"""Pitfalls of budgets and topics: each has broken a deployment by CloudFormation or lost messages."""

from pathlib import Path
from typing import Any

import pytest

from tests.templates import read_resources

pytestmark = pytest.mark.guarantee("Deploys the first time")


@pytest.fixture
def guardrails(assembly: Path) -> dict[str, Any]:
    """Properties by resource type."""
    return {it["Type"]: it["Properties"] for it in read_resources(assembly, "Guardrails").values()}


def test_budget_has_no_fixed_name(guardrails: dict[str, Any]) -> None:
    """A changed alert address replaces the budget, and two budgets cannot share a name."""
    assert "BudgetName" not in guardrails["AWS::Budgets::Budget"]["Budget"]


def test_topic_is_not_encrypted_with_a_kms_key(guardrails: dict[str, Any]) -> None:
    """Neither EventBridge nor Budgets can use `alias/aws/sns`: their messages would be lost without an error."""
    assert "KmsMasterKeyId" not in guardrails["AWS::SNS::Topic"]


def test_eventbridge_publishes_with_a_role(guardrails: dict[str, Any]) -> None:
    """A topic policy for EventBridge supports no conditions ("Amazon SNS permissions" in its guide)."""
    (target,) = guardrails["AWS::Events::Rule"]["Targets"]
    assert "RoleArn" in target
    assert "events.amazonaws.com" not in str(guardrails["AWS::SNS::TopicPolicy"])


@pytest.mark.guarantee("Closed")
def test_topic_requires_tls(guardrails: dict[str, Any]) -> None:
    statements = guardrails["AWS::SNS::TopicPolicy"]["PolicyDocument"]["Statement"]
    (deny,) = [statement for statement in statements if statement["Effect"] == "Deny"]
    assert deny["Action"] == "sns:Publish"
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
