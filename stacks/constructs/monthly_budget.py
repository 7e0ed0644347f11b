"""A monthly cost budget with alerts."""

from aws_cdk import Stack
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct


class MonthlyBudget(budgets.CfnBudget):
    """A budget for the whole account, with alerts at 80 % of the actual and 100 % of the forecast cost.

    A budget for this project alone would require its tag to be activated as a cost allocation tag, which is an
    account-wide setting. This app changes no account-wide setting.

    Args:
        limit_usd: US dollars per month.
        alert_email: Recipient of the alerts. If None, the topic is the recipient.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, limit_usd: float, alert_email: str | None, topic: sns.Topic
    ) -> None:
        subscriber = budgets.CfnBudget.SubscriberProperty(
            subscription_type="EMAIL" if alert_email else "SNS", address=alert_email or topic.topic_arn
        )
        super().__init__(
            scope,
            construct_id,
            # The name is generated: CloudFormation replaces the budget when its subscriber changes, and two budgets
            # of an account cannot have the same name.
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=limit_usd, unit="USD"),
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
        if not alert_email:
            topic.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal("budgets.amazonaws.com")],
                    actions=["sns:Publish"],
                    resources=[topic.topic_arn],
                    conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
                )
            )
            self.node.add_dependency(topic.node.find_child("Policy"))
