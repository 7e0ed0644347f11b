"""What all tests share: one synthesized assembly for the whole session."""

import functools
import json
import os
import signal
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from tests.target import TARGET

# A background job of a script (`nohup make test &`) starts with SIGINT ignored, and its children inherit that.
# Programs under test must receive Ctrl-C, so restore the default.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Takes most of the time of a synth; `make check` runs one with it.
os.environ["CDK_VALIDATION"] = "false"
# `make test` hands its own options and settings to every make that a test runs.
for _name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES"):
    os.environ.pop(_name, None)
# A test that forgets to mock AWS must not reach anyone's account.
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

import stacks  # noqa: E402, F401, I001  # finds node, which aws_cdk needs
from aws_cdk import App  # noqa: E402
from aws_cdk.assertions import Template  # noqa: E402

from tools import guarantees  # noqa: E402

ROOT = Path(__file__).parent.parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In an account, only the tests of a deployed copy that need nothing of the emulator."""
    if TARGET == "local":
        return
    names = {item: set(getattr(item, "fixturenames", ())) for item in items}
    config.hook.pytest_deselected(items=[it for it in items if "deployment" not in names[it] or "sandbox" in names[it]])
    items[:] = [it for it in items if "deployment" in names[it] and "sandbox" not in names[it]]


@pytest.fixture(scope="session")
def context() -> dict[str, Any]:
    """The context in `cdk.json`: feature flags and settings."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return context


@pytest.fixture(scope="session")
def synthesize(context: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The folder with the templates of all stacks, as `cdk synth -c setting=…` writes them; each once a session."""

    @functools.cache
    def synthesize(**settings: str) -> Path:
        from app import build

        folder = tmp_path_factory.mktemp("cdk.out")
        build(App(context=context | settings, outdir=str(folder))).synth()
        return folder

    return synthesize


@pytest.fixture(scope="session")
def assembly(synthesize: Callable[..., Path]) -> Path:
    """The folder with the templates of all stacks, as `cdk synth` writes them."""
    return synthesize()


@pytest.fixture(scope="session")
def template(assembly: Path) -> Callable[[str], Template]:
    """The template of a stack, by its id."""

    def load(stack: str) -> Template:
        return Template.from_string((assembly / f"{stack}.template.json").read_text())

    return load


@pytest.fixture
def proof(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Puts a row on the page of proofs: call it when all is shown, with what `tools.guarantees.Proof` has."""
    if TARGET != "local":  # the page is of the sandbox
        return lambda *claim, **words: None
    by, rows, records = request.node.nodeid, list[guarantees.Proof](), guarantees.RECORDS
    guarantees.forget(by, records)

    def prove(claim: str, *, tried: str, times: int, found: str) -> None:
        rows.append(guarantees.Proof(claim, tried, times, found))
        guarantees.write(by, rows, records)

    return prove


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What fails before the fixture `proof` is there, or while it is cleaned up, proves nothing either."""
    report = yield
    if TARGET == "local" and report.failed and "proof" in getattr(item, "fixturenames", ()):
        guarantees.forget(item.nodeid, guarantees.RECORDS)
    return report
