"""The environment of all tests, the order in which they run, and the synthesized templates."""

import fcntl
import functools
import json
import os
import signal
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.target import TARGET
from tests.templates import Resources, read_resources

# A background job of a script (`nohup make test &`) ignores SIGINT, and its children inherit this.
# Programs under test must receive Ctrl-C, so restore the default.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Validation takes most of the time of a synthesis, and `make check` validates the templates.
os.environ["CDK_VALIDATION"] = "false"
# Without these, every make that a test runs would inherit the options and settings of `make test`.
for _name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES"):
    os.environ.pop(_name, None)
# A test that forgets to mock AWS must not reach an account.
if TARGET == "local":
    for _name in [name for name in os.environ if name.startswith("AWS_") and name != "AWS_CA_BUNDLE"]:
        del os.environ[_name]
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }

import stacks  # noqa: E402, F401, I001  # puts Node.js on PATH, which aws_cdk needs
from aws_cdk import App  # noqa: E402
from aws_cdk.assertions import Template  # noqa: E402

ROOT = Path(__file__).parent.parent

# Many tests create sessions. Share the service models, which take long to read, among all of a process.
setattr(botocore.session, "create_loader", functools.cache(botocore.session.create_loader))  # noqa: B010  # is private

# Tests that share a sandbox, by folder or file. They take longest, so they run first, each on a worker of its own.
_SHARED_SANDBOXES = ("tests/e2e/deployments/test_thumbnails_on.py", "tests/e2e/deployments/", "tests/e2e/")


def _scope(nodeid: str) -> str:
    """Return the folder of tests that share a sandbox, or else the file of a test."""
    return next((folder for folder in _SHARED_SANDBOXES if nodeid.startswith(folder)), nodeid.partition("::")[0])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add guarantees to the JUnit XML, and order the tests. In an account, select those that need no emulator."""
    if TARGET == "aws":
        fixtures = {item: set(getattr(item, "fixturenames", ())) for item in items}
        selected = [item for item in items if "deployment" in fixtures[item] and "sandbox" not in fixtures[item]]
        config.hook.pytest_deselected(items=[item for item in items if item not in selected])
        items[:] = selected
    slow = {_scope(item.nodeid) for item in items if item.get_closest_marker("slow")}
    order = [*_SHARED_SANDBOXES, *sorted(slow)]
    items.sort(key=lambda item: order.index(scope) if (scope := _scope(item.nodeid)) in order else len(order))
    for item in items:
        item.user_properties += [("guarantee", marker.args[0]) for marker in item.iter_markers("guarantee")]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what ran on arm64, which the tests in `tests/arm64/` record."""
    reports = terminalreporter.getreports("passed")
    if results := [value for report in reports for name, value in report.user_properties if name == "arm64"]:
        terminalreporter.section("arm64")
        terminalreporter.write("".join(f"{result}\n" for result in sorted(map(str, results))))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Run all tests of a scope on one worker. `--dist=loadgroup` ignores groups with pytest 9.2 and xdist 3.8."""
    scheduling = LoadScopeScheduling(config, log)
    scheduling._split_scope = _scope
    return scheduling


@pytest.fixture(scope="session")
def context() -> dict[str, Any]:
    """The context in `cdk.json`: feature flags and settings."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return context


@pytest.fixture(scope="session")
def synthesize(context: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that synthesizes all stacks with the given settings to a folder, once for all processes."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def synthesize(**settings: str) -> Path:
        from app import build

        synthesized = context | settings
        folder = shared / sha256(json.dumps(synthesized, sort_keys=True).encode()).hexdigest()
        with folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "manifest.json").exists():
                build(App(context=synthesized, outdir=str(folder))).synth()
        return folder

    return synthesize


@pytest.fixture(scope="session")
def assembly(request: pytest.FixtureRequest, synthesize: Callable[..., Path]) -> Path:
    """The folder with the templates of all stacks, synthesized with default settings.

    `pytest.mark.parametrize("assembly", [...], indirect=True)` sets other values of `thumbnails_on`.
    """
    return synthesize(thumbnails_on=getattr(request, "param", "lambda"))


def _resources_of(stack: str) -> Any:
    """Return a fixture, named after the stack, with the resources of the stack in `assembly`."""

    @pytest.fixture(scope="session", name=stack.lower())
    def resources(assembly: Path) -> Resources:
        return read_resources(assembly, stack)

    return resources


_STACKS = ("Api", "Batch", "Ecs", "Guardrails", "Network", "Registry", "Thumbnails")
api, batch, ecs, guardrails, network, registry, thumbnails = map(_resources_of, _STACKS)
workers = _resources_of("Workers")  # exists only with `fargate` and `ec2`


@pytest.fixture(scope="session")
def template(assembly: Path) -> Callable[[str], Template]:
    """Return a function that loads the template of a stack by its id."""

    def load(stack: str) -> Template:
        return Template.from_string((assembly / f"{stack}.template.json").read_text())

    return load
