"""The documentation names only what exists: links, headings, make targets, settings."""

import re
import subprocess
from dataclasses import fields
from pathlib import Path

import pytest

from stacks.support.settings import Settings
from tests.e2e.documented_commands import make_commands

ROOT = Path(__file__).parent.parent
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]

_CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)

by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def _anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub generates from the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", _CODE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@by_page
def test_relative_links_lead_to_files_and_headings(page: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if "://" not in path and not (target.exists() and (not anchor or anchor in _anchors(target))):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("command", make_commands())
def test_documented_make_commands_exist(command: str) -> None:
    dry_run = command.replace("make ", "make --dry-run ", 1)
    subprocess.run(["bash", "-c", dry_run], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)


def test_readme_documents_every_setting() -> None:
    documented = re.findall(r"^\| `(\w+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert set(documented) >= {field.name for field in fields(Settings)}


def test_notes_page_shows_every_claim() -> None:
    rows = re.findall(r"^\|(.+)\|$", (ROOT / "docs" / "notes.md").read_text(), re.MULTILINE)
    assert [row for row in rows if not row.split(" | ")[-1].strip()] == []
