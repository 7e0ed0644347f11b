"""What all tests share: one synthesized assembly for the whole session."""

import functools
import json
import os
import signal
from collections.abc import Callable
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

ROOT = Path(__file__).parent.parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the marker `guarantee` to the JUnit XML. In an account, select only tests that do not need the emulator."""
    for item in items:
        item.user_properties += [("guarantee", marker.args[0]) for marker in item.iter_markers("guarantee")]
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
