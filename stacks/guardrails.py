"""Guardrails for a sandbox account: alarm notifications, and one dashboard for all services.

The stack reads what the other stacks publish for monitoring and changes none of them: the others deploy without this
stack, and you can add or delete it at any time. `stacks/budget.py` adds a budget.

    alarm of any stack → EventBridge rules ┐
    failed album, ECS service event ───┘   ├→ topic → e-mail, with the alert_email setting
                                    budget ┘

Everything fits in the free tier: events of AWS services, one dashboard with at most 50 metrics, ten alarms.
Scaling policies create six of the alarms, so a failure that AWS already reports as an event gets a rule, not an alarm.
Workers (`stacks/workers.py`) need alarms beyond the ten, which `make cost` prices.
"""

from collections.abc import Sequence
from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from stacks.constructs.monitoring import FailureEvent, Monitoring, event_fields
from stacks.constructs.service_dashboard import ServiceDashboard


class GuardrailsStack(Stack):
    """The alert topic with its rules, and the dashboard.

    Args:
        monitoring: The services, in the order of the dashboard.
        alert_email: Recipient of the alerts, after the recipient confirms the subscription. If None, you subscribe to
            the topic yourself.

    Attributes:
        topic: Receives the alerts.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        monitoring: Sequence[Monitoring],
        alert_email: str | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        # Without a customer managed key, which costs a dollar a month: EventBridge and Budgets cannot use the AWS
        # managed key of SNS. Messages contain names and numbers only.
        self.topic = topic = sns.Topic(self, "Alerts", display_name=self.stack_name, enforce_ssl=True)
        if alert_email:
            topic.add_subscription(subscriptions.EmailSubscription(alert_email))
        # EventBridge assumes a role, because topic policies for EventBridge support no conditions ("Amazon SNS
        # permissions" in its guide): a policy would accept the rules of all accounts.
        publisher = iam.Role(self, "Publisher", assumed_by=iam.ServicePrincipal("events.amazonaws.com"))
        for failure in (
            _alarm_raised(monitoring),
            *(event for service in monitoring for event in service.failure_events),
        ):
            rule = events.Rule(self, failure.name, description=failure.description, event_pattern=failure.pattern)
            message = events.RuleTargetInput.from_text(failure.message)
            rule.add_target(targets.SnsTopic(topic, message=message, authorize_using_role=True, role=publisher))
        ServiceDashboard(self, "Dashboard", name=self.stack_name, monitoring=monitoring)

        CfnOutput(self, "AlertTopic", value=topic.topic_arn)


def _alarm_raised(monitoring: Sequence[Monitoring]) -> FailureEvent:
    # Not an action of each alarm, which would make its stack depend on this one. CloudWatch sends every state change to
    # EventBridge and guarantees its delivery ("Alarm events" in the CloudWatch guide).
    name, description, reason = event_fields("alarmName", "configuration.description", "state.reason")
    return FailureEvent(
        "AlarmRaised",
        "An alarm of this deployment changed to ALARM",
        events.EventPattern(
            source=["aws.cloudwatch"],
            detail_type=["CloudWatch Alarm State Change"],
            resources=[alarm.alarm_arn for service in monitoring for alarm in service.alarms],
            detail={"state": {"value": ["ALARM"]}},
        ),
        f"{name}: {description} ({reason})",
    )
