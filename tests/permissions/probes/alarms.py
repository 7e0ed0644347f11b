"""Probe of the role with which EventBridge publishes alarms."""

from tests.permissions.probe import Trial, probe
from tests.queues import alert_inbox


@probe
def publishes_alarm(trial: Trial) -> None:
    """Publish an alarm to the SNS topic."""
    sandbox = trial.context.sandbox
    sqs, cloudwatch = sandbox.client("sqs"), sandbox.client("cloudwatch")
    state = {"AlarmName": trial.context.resources.physical_id("Thumbnails/DeadLettersAlarm"), "StateReason": "probe"}
    with alert_inbox(sandbox) as queue:
        cloudwatch.set_alarm_state(**state, StateValue="ALARM")
        trial.cleanup.callback(cloudwatch.set_alarm_state, **state, StateValue="OK")
        trial.wait_until("a message on the topic", lambda: "Messages" in sqs.receive_message(QueueUrl=queue))
