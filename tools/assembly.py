"""The cloud assembly of the app, for tools that generate pages from the templates."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent


@contextmanager
def synthesized(**settings: str) -> Iterator[Path]:
    """Synthesize the app, and yield the folder that `cdk synth` would write.

    Args:
        settings: Override those in `cdk.json`.
    """
    os.environ["CDK_VALIDATION"] = "false"  # `make check` validates the templates
    import stacks  # noqa: F401  # isort: skip  # before aws_cdk, because it finds node
    from aws_cdk import App

    from app import build

    with tempfile.TemporaryDirectory() as folder:
        context = json.loads((ROOT / "cdk.json").read_text())["context"]
        build(App(context=context | settings, outdir=folder)).synth()
        yield Path(folder)
