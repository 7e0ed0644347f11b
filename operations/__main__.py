"""The operations on the command line: `python -m operations redrive`."""

import argparse
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from operations.outputs import NotDeployedError
from operations.redrive import redrive


def main() -> None:
    """Run an operation. Exits with 1 and one line when it cannot be done, with 2 for wrong arguments."""
    parser = argparse.ArgumentParser(prog="python -m operations", description=__doc__)
    parser.add_argument("--name", default="other-compute", help="the setting `name` it was deployed with")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("redrive", help="send what is in the dead-letter queue through the service again")
    arguments = parser.parse_args()
    try:
        redrive(boto3.Session(), arguments.name)
    except (NotDeployedError, BotoCoreError, ClientError) as error:
        sys.exit(f"{error}\nIs this the right account? In the sandbox, export what `make local` printed.")


if __name__ == "__main__":
    main()
