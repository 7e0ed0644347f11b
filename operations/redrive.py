"""Dead letters, once their cause is mended: shown, and sent through the service again."""

import boto3

from operations.outputs import outputs_of

# Longer than it takes to send one message on: while we work on a message nobody else sees it.
_HIDDEN_SECONDS = 60


def redrive(session: boto3.Session, name: str) -> int:
    """Move every message of the dead-letter queue to the upload queue, printing each. Returns how many.

    A message is sent before it is deleted: stopped half way, one may be sent twice, which changes nothing.
    Raises NotDeployedError.
    """
    outputs = outputs_of(session, name, "Thumbnails")
    dead, uploads = outputs["DeadLetterQueueUrl"], outputs["UploadQueueUrl"]
    sqs = session.client("sqs")
    moved = 0
    while messages := sqs.receive_message(
        QueueUrl=dead, MaxNumberOfMessages=10, VisibilityTimeout=_HIDDEN_SECONDS, WaitTimeSeconds=1
    ).get("Messages", []):
        for message in messages:
            print(message["Body"])
            sqs.send_message(QueueUrl=uploads, MessageBody=message["Body"])
            sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    print(f"{moved} dead letters sent again." if moved else "The dead-letter queue is empty.")
    return moved
