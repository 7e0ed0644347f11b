"""Run the whole service on this machine: `python -m local up` and `python -m local demo`."""

import argparse
import io
import signal
import sys
import time
from collections.abc import Mapping
from types import FrameType

from botocore.exceptions import BotoCoreError, ClientError

from local.console import heading
from local.demo import run_demo
from local.deployment import Outputs
from local.edits import Edits
from local.errors import SandboxError
from local.ports import why_unavailable
from local.sandbox import Sandbox, running_sandbox
from local.stubbed import STUBBED
from operations.errors import OperationError
from operations.settings import add_settings_option, check_sandbox_access, command_line_settings, make_command

# https://fetch.spec.whatwg.org/#port-blocking
# fmt: off
_BLOCKED_PORTS = {
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110,
    111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532,
    540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061,
    6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
}
# fmt: on

# The default port of other AWS emulators.
_DEFAULT_PORT = 4566

_POLL_SECONDS = 0.5


def main() -> None:
    """Run a command. Exits with status 1 and a message if the sandbox fails, with status 2 for invalid arguments."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # A file shows each edit when it is deployed.
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    arguments = command_line().parse_args()
    try:
        settings = command_line_settings(arguments.settings)
        check_sandbox_access(settings)
        if arguments.command == "demo":
            run_demo(arguments.port, settings)
        else:
            _up(arguments.port, settings)
    except OperationError as error:
        sys.exit(str(error))
    except SandboxError as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        sys.exit("\nStopped. No resources remain.")


def command_line() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    add_settings_option(parser)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, description, default_port in (
        ("up", "Deploy all stacks to an emulator of AWS on 127.0.0.1 and run until Ctrl-C.", f"{_DEFAULT_PORT}, or "),
        ("demo", "Deploy all stacks, send photos through every service, and remove everything.", ""),
    ):
        command = commands.add_parser(name, help=description, description=description)
        command.add_argument("--port", type=_port, help=f"port on 127.0.0.1 (default: {default_port}a free port)")
    return parser


def _port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) < 2**16):
        raise argparse.ArgumentTypeError(f"expected 1 to 65535, but received {text!r}")
    if int(text) in _BLOCKED_PORTS:
        raise argparse.ArgumentTypeError(
            f"browsers block port {text}, so the gallery page could not call the API. Choose another, such as 8080"
        )
    return int(text)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _up(port: int | None, settings: Mapping[str, str]) -> None:
    heading("Deploying Other Compute to an emulator of AWS on this machine")
    if port is None:
        if reason := why_unavailable(_DEFAULT_PORT):
            print(f"  Using a free port instead of {_DEFAULT_PORT}: {reason}.")
        else:
            port = _DEFAULT_PORT
    edits = Edits()  # Before synthesis reads the files.
    with running_sandbox(port, settings) as sandbox:
        sandbox.deploy()
        _print_usage(sandbox, settings["name"])
        try:
            while True:
                sandbox.emulator.check()
                time.sleep(_POLL_SECONDS)
                if edited := edits.take():
                    deploy_edits(sandbox, edited)
        except KeyboardInterrupt:
            pass
    print("\nStopped. No resources remain.")


def deploy_edits(sandbox: Sandbox, edited: list[str]) -> None:
    """Deploy what the edited files change. An error leaves the deployed version, and the next edit tries again."""
    heading(f"Edited: {', '.join(edited[:3])}{f' and {len(edited) - 3} others' if len(edited) > 3 else ''}")
    start, before = time.monotonic(), sandbox.outputs
    try:
        changed, deleted = sandbox.update()
    except (SandboxError, OperationError, BotoCoreError, ClientError) as error:
        sandbox.emulator.check()
        print(f"  {error}\n  What failed still has its previous version. Save a corrected file to try again.")
        return
    outputs = sandbox.outputs.items()
    _print_outputs({stack: dict(values.items() - before.get(stack, {}).items()) for stack, values in outputs})
    what = [f"{verb} {', '.join(stacks)}" for verb, stacks in (("Changed", changed), ("Deleted", deleted)) if stacks]
    print(f"  {'. '.join(what) or 'No stack changed'} in {time.monotonic() - start:.0f} s.")


def _print_outputs(outputs: Outputs) -> None:
    for stack, values in outputs.items():
        for output, value in values.items():
            if not output.startswith("PublishOutput"):  # for other stacks, added by the CDK
                print(f"  {stack + '.' + output:32} {value}")


def _print_usage(sandbox: Sandbox, name: str) -> None:
    heading("Outputs of the stacks:")
    _print_outputs(sandbox.outputs)
    heading("Stubbed (not emulated):")
    for resource_type, note in STUBBED.items():
        print(f"  {resource_type:{max(map(len, STUBBED))}} {note}")
    heading("To use the sandbox from another terminal, run these commands in this folder:")
    api, photos = sandbox.outputs["Api"]["ApiUrl"], sandbox.outputs["Thumbnails"]
    for variable, value in {**sandbox.emulator.client_environment(), "ApiUrl": api}.items():
        print(f"  export {variable}={value}")
    heading("Then try:")
    key = make_command("key", name)
    print(f"  {key}    # prints the API key, which the gallery page needs for uploads, deletions, and albums")
    print(f"  curl {api}photos")
    print(f"  aws s3 cp samples/rocket.jpg s3://{photos['OriginalsBucket']}/    # requires the AWS CLI")
    print(f"  aws s3 sync s3://{photos['ThumbnailsBucket']} thumbnails/")
    if "Workers" in sandbox.outputs:
        print("  Workers start up to a minute after an upload, and stop after five minutes without work.")
    print(f"  {make_command('logs', name)}    # follows the output of functions, containers, and jobs")
    heading("Edit a stack, a function, or the gallery page: when you save a file, the sandbox deploys the change.")
    heading("Open the gallery page in a browser:")
    print(f"  {sandbox.outputs['Ecs']['GalleryUrl']}    # Amazon ECS, on AWS Fargate and on EC2")
    print(f"  {sandbox.outputs['Lightsail']['WebsiteUrl']}    # Amazon Lightsail")
    heading("Press Ctrl-C to stop the sandbox and remove everything.")


if __name__ == "__main__":
    main()
