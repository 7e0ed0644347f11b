"""The README keeps its word: each file it links to and each make target it names exists."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_every_link_leads_to_a_file() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_make_target_exists() -> None:
    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = set(re.findall(r"^make (\w+)", listed, re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z]+)", README, re.MULTILINE))
    assert {"local", "test", "demo"} <= named <= targets


def test_every_template_is_judged_closed_and_opened() -> None:
    run = subprocess.run(["make", "--dry-run", "check"], cwd=ROOT, capture_output=True, text=True, check=True)
    synths = re.findall(
        r"^cdk synth --quiet --strict(.*)\ncfn-lint (\S+)/\*\.template\.json$", run.stdout, re.MULTILINE
    )
    (closed, _), (opened, folder) = synths
    assert closed == ""
    assert "-c allowed_cidr=" in opened and "-c alert_email=" in opened and opened.endswith(f"--output {folder}")


def test_every_setting_is_explained() -> None:
    from dataclasses import fields

    from stacks.support.settings import Settings

    explained = re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE)
    assert set(explained) >= {field.name for field in fields(Settings)}
