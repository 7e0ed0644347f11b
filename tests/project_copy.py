"""A copy of this folder, to be changed as its users change theirs."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def copy_project(folder: Path) -> Path:
    """Fill this folder with what is under version control or will be, and with all that was installed."""
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
    """Write another text where this one is, once."""
    source = file.read_text()
    assert source.count(text) == 1, f"{text!r} in {file}"
    file.write_text(source.replace(text, other))


def synthesize_copy(project: Path, assembly: Path, **settings: str) -> Path:
    """The templates of all stacks as the app in this copy makes them: in `assembly`, which is returned."""
    context = json.loads((project / "cdk.json").read_text())["context"] | settings
    environment = os.environ | {"CDK_OUTDIR": str(assembly), "CDK_CONTEXT_JSON": json.dumps(context)}
    run = subprocess.run([sys.executable, "app.py"], cwd=project, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return assembly
