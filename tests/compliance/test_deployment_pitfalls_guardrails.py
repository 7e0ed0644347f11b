"""What has gone wrong for others who deployed budgets and topics by CloudFormation."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk.assertions import Template

pytestmark = pytest.mark.guarantee("Deploys the first time")


@pytest.fixture
def guardrails(template: Callable[[str], Template]) -> dict[str, Any]:
    resources: dict[str, Any] = template("Guardrails").to_json()["Resources"]
    return {resource["Type"]: resource["Properties"] for resource in resources.values()}


def test_the_budget_has_no_name_as_a_change_of_address_makes_a_new_one_beside_it(guardrails: dict[str, Any]) -> None:
    assert "BudgetName" not in guardrails["AWS::Budgets::Budget"]["Budget"]


def test_the_topic_has_no_key_that_its_publishers_cannot_use(guardrails: dict[str, Any]) -> None:
    # Neither EventBridge nor Budgets may use `alias/aws/sns`: what they send would be lost without a word.
    assert "KmsMasterKeyId" not in guardrails["AWS::SNS::Topic"]


def test_eventbridge_publishes_by_a_role_as_it_fits_no_condition_of_a_topic(guardrails: dict[str, Any]) -> None:
    # EventBridge guide, "Amazon SNS permissions": what it sends would be lost, with nothing but a count to tell.
    (target,) = guardrails["AWS::Events::Rule"]["Targets"]
    assert "RoleArn" in target
    assert "events.amazonaws.com" not in str(guardrails["AWS::SNS::TopicPolicy"])


def test_the_topic_is_reached_over_tls_only(guardrails: dict[str, Any]) -> None:
    (deny,) = [
        statement
        for statement in guardrails["AWS::SNS::TopicPolicy"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
    ]
    assert deny["Action"] == "sns:Publish"
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
