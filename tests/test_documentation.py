"""The documentation names only what exists: links, headings, make targets, settings."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from stacks.support.settings import Settings

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


@by_page
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    documented = set(re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(), re.MULTILINE))
    assert documented - targets == set()


def test_readme_documents_every_setting() -> None:
    documented = re.findall(r"^\| `(\w+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert set(documented) >= {field.name for field in fields(Settings)}


def test_notes_page_shows_every_claim() -> None:
    rows = re.findall(r"^\|(.+)\|$", (ROOT / "docs" / "notes.md").read_text(), re.MULTILINE)
    assert [row for row in rows if not row.split(" | ")[-1].strip()] == []
