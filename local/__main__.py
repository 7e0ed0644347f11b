"""The laptop sandbox on the command line: `python -m local up` and `python -m local demo`."""

import argparse
import signal
import sys
import time
from types import FrameType

from local.console import heading
from local.demo import run_demo
from local.emulator import is_port_free
from local.errors import SandboxError
from local.sandbox import Sandbox, running_sandbox
from local.stubbed import STUBBED

# Where emulators of AWS are usually looked for.
_USUAL_PORT = 4566


def main() -> None:
    """Run a command. Exits with 1 and one message when the sandbox cannot go on, with 2 for wrong arguments."""
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGHUP, _end)
    arguments = command_line().parse_args()
    try:
        if arguments.command == "demo":
            run_demo(arguments.port)
        else:
            _up(arguments.port)
    except SandboxError as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        sys.exit("\nStopped; nothing is left.")


def command_line() -> argparse.ArgumentParser:
    """What it can be told."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, help_text in (
        ("up", "deploy every stack into an emulator of AWS on 127.0.0.1 and stay until Ctrl-C"),
        ("demo", "deploy every stack there, send real photos through everything and leave nothing"),
    ):
        command = commands.add_parser(name, help=help_text, description=f"{help_text[0].upper()}{help_text[1:]}.")
        usual = f"{_USUAL_PORT}, or " if name == "up" else ""
        command.add_argument("--port", type=_port, help=f"of 127.0.0.1; without it {usual}a free one is taken")
    return parser


def _port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) < 2**16):
        raise argparse.ArgumentTypeError(f"expected 1 to 65535, but received {text!r}")
    return int(text)


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _up(port: int | None) -> None:
    if port is None and is_port_free(_USUAL_PORT):
        port = _USUAL_PORT
    heading("Starting Other Compute on this machine")
    with running_sandbox(port) as sandbox:
        sandbox.deploy()
        _tell(sandbox)
        try:
            while True:
                sandbox.emulator.check()
                time.sleep(0.5)
        except KeyboardInterrupt:
            heading("Stopping")
    print("Stopped; nothing is left.")


def _tell(sandbox: Sandbox) -> None:
    """What is where, and what to type next."""
    heading("Everything is up. What there is:")
    for stack, outputs in sandbox.outputs.items():
        for name, value in outputs.items():
            if not name.startswith("PublishOutput"):  # which the CDK adds for other stacks to read
                print(f"  {stack + '.' + name:32} {value}")
    heading("On paper only:")
    for resource_type, why in STUBBED.items():
        print(f"  {resource_type:{max(map(len, STUBBED))}} {why}")
    heading("In another terminal, from this folder:")
    for variable, value in sandbox.emulator.client_environment().items():
        print(f"  export {variable}={value}")
    api, photos = sandbox.outputs["Api"]["ApiUrl"], sandbox.outputs["Thumbnails"]
    heading("Then, as you like (`aws` is the AWS CLI, if you have it; photos can also be added on the page):")
    print("  make key   # needed to upload, to delete and to order albums")
    print(f"  curl {api}photos")
    print(f"  aws s3 cp samples/rocket.jpg s3://{photos['OriginalsBucket']}/")
    print(f"  aws s3 sync s3://{photos['ThumbnailsBucket']} thumbnails/")
    heading("The gallery page, in a browser:")
    print(f"  {sandbox.outputs['Ecs']['GalleryUrl']}")
    heading("Ctrl-C stops it and removes everything.")


if __name__ == "__main__":
    main()
