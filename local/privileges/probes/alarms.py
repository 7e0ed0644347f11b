"""The work of the rule that tells a person of alarms."""

import json
from uuid import uuid4

from local.privileges.trial import Trial, probe

_ALARM = "Thumbnails/DeadLettersAlarm"


@probe()
def told(trial: Trial) -> None:
    """An alarm that is raised reaches the topic."""
    sandbox = trial.bench.sandbox
    sqs, sns, cloudwatch = (sandbox.client(service) for service in ("sqs", "sns", "cloudwatch"))
    topic, alarm = sandbox.outputs["Guardrails"]["AlertTopic"], trial.bench.names.of(_ALARM)

    inbox = sqs.create_queue(QueueName=uuid4().hex)["QueueUrl"]
    trial.afterwards.callback(sqs.delete_queue, QueueUrl=inbox)
    arn = sqs.get_queue_attributes(QueueUrl=inbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    from_topic = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [from_topic]})
    sqs.set_queue_attributes(QueueUrl=inbox, Attributes={"Policy": policy})
    subscription = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)["SubscriptionArn"]
    trial.afterwards.callback(sns.unsubscribe, SubscriptionArn=subscription)

    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="tried")
    trial.afterwards.callback(cloudwatch.set_alarm_state, AlarmName=alarm, StateValue="OK", StateReason="tried")
    trial.until("the topic was told", lambda: "Messages" in sqs.receive_message(QueueUrl=inbox))
