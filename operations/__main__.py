"""Operations on a deployment: `python -m operations deploy`, `destroy`, …; `make` has a target for each."""

import argparse
import io
import sys
from contextlib import suppress
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.errors import SandboxError
from operations.account import create_session, current_account
from operations.cdk import synthesize
from operations.confirm import NotConfirmedError
from operations.cost.command import add_usage_options, print_cost
from operations.cost.prices import UnknownPriceError
from operations.dead_letter_queue import inspect
from operations.deploy import deploy
from operations.destroy import destroy
from operations.errors import OperationError
from operations.key import api_key
from operations.logs import print_logs
from operations.outputs import NotDeployedError
from operations.preflight import preflight
from operations.redrive import redrive
from operations.remake import remake
from operations.settings import add_settings_option, command_line_settings

_FAILED_AGAIN = (
    "Messages that failed again: {}. To print the reasons, run: python -m operations -c name={} redrive --inspect"
)


def main() -> None:
    """Run an operation.

    Exits with 1 and a message if it fails or messages fail again, with 2 for invalid arguments, and otherwise with 0,
    also if the user declines it.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # Keeps the order of this output and the CLI's.
    arguments = argument_parser().parse_args()
    try:
        settings = command_line_settings(arguments.settings)
        match arguments.command:
            case "compare":
                # Imports the sandbox and image libraries, which other operations do not need.
                from operations.compare.command import run_comparison

                run_comparison(arguments.photos, settings, yes=arguments.yes)
            case "cost":
                print_cost(settings, arguments)
            case "deploy":
                deploy(create_session(), settings, arguments.stacks, yes=arguments.yes)
            case "destroy":
                destroy(create_session(), settings["name"], yes=arguments.yes)
            case "key":
                print(api_key(_checked_session(), settings["name"]))
            case "logs":
                with suppress(KeyboardInterrupt):
                    print_logs(_checked_session(), settings["name"], minutes=arguments.minutes, follow=arguments.follow)
            case "preflight":
                preflight(create_session(), settings, arguments.stacks)
            case "redrive" if arguments.inspect:
                inspect(_checked_session(), settings["name"])
            case "redrive":
                if remaining := redrive(_checked_session(), settings["name"]):
                    sys.exit(_FAILED_AGAIN.format(remaining, settings["name"]))
            case "remake":
                remake(_checked_session(), settings["name"])
            case "synth":
                print(f"Templates are in {synthesize(Path('cdk.out'), settings).folder}/")
    except NotConfirmedError as error:
        print(error)  # Declining is not an error: make would add its own message.
    except (OperationError, SandboxError, UnknownPriceError) as error:
        sys.exit(str(error))
    except (NotDeployedError, BotoCoreError, ClientError) as error:
        sys.exit(f"{error}\nCheck the account and the region. For the emulator, export what `make local` printed.")
    except KeyboardInterrupt:
        sys.exit("\nStopped. If CloudFormation has begun an operation, it continues.")


def _checked_session() -> boto3.Session:
    """Create a session, and explain why AWS rejects its credentials if it does."""
    session = create_session()
    current_account(session)
    return session


def argument_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m operations", description=__doc__)
    add_settings_option(parser)
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, summary: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")

    add_usage_options(command("cost", "print the idle cost per hour, or the bill of a month with --photos photos"))
    compare_command = command("compare", "send the same photos through every compute option, and price each one")
    compare_command.add_argument("--photos", default="200", metavar="N", help="number of files (default: 200)")
    preflight_command = command("preflight", "check the account for known causes of a failed deployment")
    deploy_command = command("deploy", "deploy to the AWS account of your credentials")
    for with_stacks in (preflight_command, deploy_command):
        with_stacks.add_argument(
            "stacks", nargs="*", metavar="STACK", help="stacks, each with its dependencies; default: all"
        )
    destroy_command = command("destroy", "delete the deployment from the AWS account of your credentials")
    for confirmed in (compare_command, deploy_command, destroy_command):
        confirmed.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    command("key", "print the API key")
    logs_command = command("logs", "print the output of functions, containers, and jobs with time and source")
    logs_command.add_argument("--follow", action="store_true", help="print new events, too, until Ctrl-C")
    logs_command.add_argument(
        "--minutes", type=_minutes, default=10, metavar="N", help="start N minutes ago (default: 10)"
    )
    redrive_command = command("redrive", "reprocess the messages in the dead-letter queues")
    redrive_command.add_argument(
        "--inspect", action="store_true", help="print the messages and reasons; change nothing"
    )
    command("remake", "regenerate the thumbnails of all photos with a Batch array job")
    command("synth", "write the templates of all stacks to cdk.out/, without credentials")
    return parser


def _minutes(text: str) -> int:
    if not (text.isdecimal() and len(text) < 7 and int(text) > 0):
        raise argparse.ArgumentTypeError(f"expected minutes from 1 to 999999, but received {text!r}")
    return int(text)


if __name__ == "__main__":
    main()
