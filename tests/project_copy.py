"""Copies of this project that tests change."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def copy_project(folder: Path) -> Path:
    """Copy tracked and new files to `folder`, and link the installed tools and cached packages."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    for installed in (".venv", "node_modules"):
        (folder / installed).symlink_to(ROOT / installed)
    (folder / ".cache").mkdir()
    for made in ("lambda", "images"):
        (ROOT / ".cache" / made).mkdir(parents=True, exist_ok=True)
        (folder / ".cache" / made).symlink_to(ROOT / ".cache" / made)
    return folder


def replace(file: Path, text: str, other: str) -> None:
    """Replace a text that occurs exactly once in a file."""
    source = file.read_text()
    assert source.count(text) == 1, f"{text!r} in {file}"
    file.write_text(source.replace(text, other))


def synthesize_copy(project: Path, assembly: Path, **settings: str) -> Path:
    """Synthesize all stacks of a copy to `assembly`, and return it."""
    context = json.loads((project / "cdk.json").read_text())["context"] | settings
    environment = os.environ | {"CDK_OUTDIR": str(assembly), "CDK_CONTEXT_JSON": json.dumps(context)}
    run = subprocess.run([sys.executable, "app.py"], cwd=project, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return assembly
