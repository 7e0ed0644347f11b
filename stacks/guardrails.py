"""What keeps a sandbox account from surprises: a budget, alarms that reach a person, one dashboard over all services.

The notes praise what is paid by use and warn of nothing; this is the other half. It watches what the services of the
other stacks publish and changes none of them: each deploys without this stack, and this one can come and go.

    alarm of any stack → EventBridge rules ┐
     failed album, ECS in trouble ─────┘   ├→ topic → e-mail, if the settings have an address
                       budget, 80 %, 100 % ┘

All of it is in the free tier: a budget, the events of AWS services, one dashboard of at most 50 metrics, ten alarms.
Scaling makes six of those by itself, so what AWS tells by an event needs no alarm here.
"""

from collections.abc import Sequence
from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from stacks.constructs.monitoring import FailureEvent, Monitoring

# Columns of a dashboard are 24; four graphs side by side are still read with ease.
_GRAPH_WIDTH = 6


class GuardrailsStack(Stack):
    """The budget, the topic that tells a person, and the dashboard.

    monitoring: the services, in the order of the dashboard
    monthly_budget_usd: of the whole account. A budget of this project alone would need its tag activated in the
        billing settings of the account, and no account-wide setting is changed here.
    alert_email: gets the budget's warnings at once, and the alarms when it has confirmed the mail that asks; None
        leaves both to whoever subscribes to the topic
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        monitoring: Sequence[Monitoring],
        monthly_budget_usd: float,
        alert_email: str | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self.topic = self._topic(alert_email)
        self._publisher = iam.Role(self, "Publisher", assumed_by=iam.ServicePrincipal("events.amazonaws.com"))
        self._tell_of_alarms([alarm for service in monitoring for alarm in service.alarms])
        for failure in (failure for service in monitoring for failure in service.failure_events):
            self._tell_of(failure)
        self._budget(monthly_budget_usd, alert_email)
        self._dashboard(monitoring)

        CfnOutput(self, "AlertTopic", value=self.topic.topic_arn)

    def _topic(self, alert_email: str | None) -> sns.Topic:
        # Encrypted at rest it would need a key of its own at a dollar a month: EventBridge and Budgets cannot use the
        # one that AWS keeps for SNS. What it carries are names and numbers.
        topic = sns.Topic(self, "Alerts", display_name=self.stack_name, enforce_ssl=True)
        if alert_email:
            topic.add_subscription(subscriptions.EmailSubscription(alert_email))
        return topic

    def _tell_of_alarms(self, alarms: Sequence[cloudwatch.IAlarm]) -> None:
        # Not as an action of each alarm: its stack would need this one, which needs it. CloudWatch sends every change
        # of an alarm to EventBridge by itself, and guarantees that it arrives (CloudWatch guide, "Alarm events").
        name, why, what_to_do = (
            events.EventField.from_path(f"$.detail.{path}")
            for path in ("alarmName", "state.reason", "configuration.description")
        )
        self._tell_of(
            FailureEvent(
                "AlarmRaised",
                "An alarm of this project asks a person to act",
                events.EventPattern(
                    source=["aws.cloudwatch"],
                    detail_type=["CloudWatch Alarm State Change"],
                    resources=[alarm.alarm_arn for alarm in alarms],
                    detail={"state": {"value": ["ALARM"]}},
                ),
                f"{name}: {what_to_do} ({why})",
            )
        )

    def _tell_of(self, failure: FailureEvent) -> None:
        rule = events.Rule(self, failure.name, description=failure.description, event_pattern=failure.pattern)
        # By a role: "You can't use Condition blocks in Amazon SNS topic policies for EventBridge" (its guide), and a
        # policy without one lets in the rules of all accounts.
        rule.add_target(
            targets.SnsTopic(
                self.topic,
                message=events.RuleTargetInput.from_text(failure.message),
                authorize_using_role=True,
                role=self._publisher,
            )
        )

    def _budget(self, monthly_budget_usd: float, alert_email: str | None) -> None:
        subscriber = budgets.CfnBudget.SubscriberProperty(
            subscription_type="EMAIL" if alert_email else "SNS", address=alert_email or self.topic.topic_arn
        )
        budget = budgets.CfnBudget(
            self,
            "Budget",
            # No name: to change whom it tells CloudFormation makes a new one, which could not have the same.
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
        if not alert_email:
            self.topic.add_to_resource_policy(
                iam.PolicyStatement(
                    principals=[iam.ServicePrincipal("budgets.amazonaws.com")],
                    actions=["sns:Publish"],
                    resources=[self.topic.topic_arn],
                    conditions={"StringEquals": {"aws:SourceAccount": self.account}},
                )
            )
            budget.node.add_dependency(self.topic.node.find_child("Policy"))

    def _dashboard(self, monitoring: Sequence[Monitoring]) -> None:
        dashboard = cloudwatch.Dashboard(self, "Dashboard", dashboard_name=self.stack_name)
        dashboard.add_widgets(
            cloudwatch.AlarmStatusWidget(
                title="Asks for a person",
                alarms=[alarm for service in monitoring for alarm in service.alarms],
                width=24,
                height=2,
            )
        )
        for service in monitoring:
            heading = f"## {service.service}\n{service.note}".strip()
            dashboard.add_widgets(cloudwatch.TextWidget(markdown=heading, width=24, height=len(heading.splitlines())))
            dashboard.add_widgets(
                *(
                    cloudwatch.GraphWidget(title=graph.title, left=list(graph.metrics), width=_GRAPH_WIDTH)
                    for graph in service.graphs
                )
            )
            if service.log:
                dashboard.add_widgets(
                    cloudwatch.LogQueryWidget(
                        title="Newest lines of the log",
                        log_group_names=[service.log.log_group_name],
                        query_lines=["fields @timestamp, @message", "sort @timestamp desc", "limit 20"],
                        width=24,
                    )
                )
