"""AWS Budgets: an alert before a forgotten sandbox becomes expensive.

    cost of the account → budget, alerts at 80 % and 100 % → e-mail (alert_email), or the topic of Guardrails

A stack of its own, deployed last: some accounts cannot create a budget, for example a new member account of an
organization ("linked account … ask the payer account"). CloudFormation then rolls back this stack only, and all alarms
keep working.
"""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct


class BudgetStack(Stack):
    """A budget for the whole account, with alerts at 80 % of the actual and 100 % of the forecast cost.

    A budget for this project alone would require its tag to be activated as a cost allocation tag, which is an
    account-wide setting. This app changes no account-wide setting.

    Args:
        monthly_budget_usd: US dollars per month.
        alert_email: Recipient of the alerts. If None, the topic is the recipient.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        monthly_budget_usd: float,
        alert_email: str | None,
        topic: sns.Topic,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        if not alert_email:
            topic.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal("budgets.amazonaws.com")],
                    actions=["sns:Publish"],
                    resources=[topic.topic_arn],
                    conditions={"StringEquals": {"aws:SourceAccount": self.account}},
                )
            )
        subscriber = budgets.CfnBudget.SubscriberProperty(
            subscription_type="EMAIL" if alert_email else "SNS", address=alert_email or topic.topic_arn
        )
        budget = budgets.CfnBudget(
            self,
            "Budget",
            # The name is generated: CloudFormation replaces the budget when its subscriber changes, and two budgets
            # of an account cannot have the same name.
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=monthly_budget_usd, unit="USD"),
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        notification_type=notification_type,
                        comparison_operator="GREATER_THAN",
                        threshold=percent,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=[subscriber],
                )
                for notification_type, percent in (("ACTUAL", 80), ("FORECASTED", 100))
            ],
        )
        budget.node.add_dependency(topic)  # and its policy; makes this stack the last to deploy, with either subscriber
