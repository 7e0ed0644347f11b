"""The operations on the command line: `python -m operations deploy`, and `make` for each of them."""

import argparse
import io
import sys
import tempfile
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from operations.account import create_session
from operations.cdk import cdk_json_context, synthesize
from operations.cost import format_table, idle_cost
from operations.deploy import deploy
from operations.destroy import destroy
from operations.errors import OperationError
from operations.key import api_key
from operations.letters import Mode
from operations.outputs import NotDeployedError
from operations.prices import UnknownPriceError
from operations.public_address import CHECK_IP_URL
from operations.redrive import redrive

_LEFT = """{} are left, for the reasons above. Mend the cause, then: python -m operations redrive --again
What no mending helps: python -m operations redrive --discard"""


def main() -> None:
    """Run an operation. Exits with 1 and a line when it cannot be done, or not wholly; with 2 for wrong arguments."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # in one order with what the CDK prints
    arguments = argument_parser().parse_args()
    try:
        settings = {"name": cdk_json_context()["name"], **dict(arguments.settings)}
        match arguments.command:
            case "cost":
                _cost(settings)
            case "deploy":
                session = create_session()
                deploy(session, settings, arguments.stacks, check_ip=arguments.check_ip, yes=arguments.yes)
            case "destroy":
                destroy(create_session(), settings, yes=arguments.yes)
            case "key":
                print(api_key(create_session(), settings["name"]))
            case "redrive":
                left = redrive(create_session(), settings["name"], arguments.mode)
                if left:
                    sys.exit(_LEFT.format(left))
    except (OperationError, UnknownPriceError) as error:
        sys.exit(str(error))
    except (NotDeployedError, BotoCoreError, ClientError) as error:
        sys.exit(f"{error}\nIs this the right account? In the sandbox, export what `make local` printed.")
    except KeyboardInterrupt:
        sys.exit("\nStopped. What CloudFormation had begun, it goes on with.")


def argument_parser() -> argparse.ArgumentParser:
    """What it can be told."""
    parser = argparse.ArgumentParser(prog="python -m operations", description=__doc__)
    parser.add_argument(
        "-c", dest="settings", action="append", default=[], type=_setting, metavar="KEY=VALUE",
        help="a setting, instead of the one in cdk.json",
    )  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, does: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=does, description=f"{does[0].upper()}{does[1:]}.")

    command("cost", "tell what the stacks cost while nobody uses them")
    deploying = command("deploy", "deploy into the account of your credentials")
    deploying.add_argument("stacks", nargs="*", metavar="STACK", help="and what it needs; without any, all")
    deploying.add_argument("--check-ip", default=CHECK_IP_URL, metavar="URL", help="answers with your address")
    destroying = command("destroy", "remove all of it from the account of your credentials")
    for asking in (deploying, destroying):
        asking.add_argument("--yes", action="store_true", help="do not ask")
    command("key", "print the API key")
    _redrive_options(command("redrive", "send what is in the dead-letter queues through the service again"))
    return parser


def _redrive_options(command: argparse.ArgumentParser) -> None:
    modes = command.add_mutually_exclusive_group()
    for mode, help_text in (
        (Mode.LOOK, "show what is there and why, and leave it"),
        (Mode.AGAIN, "also what was sent again before and came back"),
        (Mode.DISCARD, "delete what was sent again before and came back"),
    ):
        modes.add_argument(
            f"--{mode}", dest="mode", action="store_const", const=mode, default=Mode.SEND, help=help_text
        )


def _setting(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"expected KEY=VALUE, but received {text!r}")
    return key, value


def _cost(settings: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory(prefix="other-compute-") as folder:
        cost = idle_cost(synthesize(Path(folder, "cdk.out"), settings).folder)
    print(format_table(cost.rows()))
    print(f"\n{cost}")


if __name__ == "__main__":
    main()
