"""Dead letters, once their cause is mended: shown, sent through the service again, and followed to their end."""

import boto3

from operations.letters import Mode
from operations.outputs import NotDeployedError, stack_outputs
from operations.sweeps import Sweeps
from operations.uploads import Uploads


def redrive(session: boto3.Session, name: str, mode: Mode = Mode.SEND) -> int:
    """Redrive uploads and sweeps, telling what happens. Returns how many letters are left. Raises NotDeployedError."""
    uploads = Uploads.deployed(session, stack_outputs(session, name, "Thumbnails"))
    try:
        sweeps = Sweeps(session, stack_outputs(session, name, "Cron"))
    except NotDeployedError:
        sweeps = None  # Thumbnails can be deployed alone
    sent, left = uploads.redrive(mode)
    if sweeps:
        swept, unswept = sweeps.redrive(mode)
        sent, left = sent + swept, left + unswept
    if sent or left:
        print(f"{sent} dead letters sent again.")
    else:
        print("The dead-letter queues are empty.")
    return left
