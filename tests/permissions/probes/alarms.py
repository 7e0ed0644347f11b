"""The work of the rules that tell a person."""

from tests.alert_inbox import alert_inbox
from tests.permissions.trial import Trial, probe

_ALARM = "Thumbnails/DeadLettersAlarm"


@probe()
def told(trial: Trial) -> None:
    """An alarm that is raised reaches the topic."""
    sandbox = trial.bench.sandbox
    sqs, cloudwatch, alarm = sandbox.client("sqs"), sandbox.client("cloudwatch"), trial.bench.names.of(_ALARM)
    with alert_inbox(sandbox) as inbox:
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="tried")
        trial.afterwards.callback(cloudwatch.set_alarm_state, AlarmName=alarm, StateValue="OK", StateReason="tried")
        trial.until("the topic was told", lambda: "Messages" in sqs.receive_message(QueueUrl=inbox))
