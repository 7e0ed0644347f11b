"""The app synthesized for a moment, for what is written from its templates."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent


@contextmanager
def synthesized() -> Iterator[Path]:
    """A folder as `cdk synth` writes it, of the app as it is now with the settings in `cdk.json`."""
    os.environ["CDK_VALIDATION"] = "false"  # the templates are checked by `make check`
    import stacks  # noqa: F401  # isort: skip  # first: it finds the node that aws_cdk starts
    from aws_cdk import App

    from app import build

    with tempfile.TemporaryDirectory() as folder:
        context = json.loads((ROOT / "cdk.json").read_text())["context"]
        build(App(context=context, outdir=folder)).synth()
        yield Path(folder)
