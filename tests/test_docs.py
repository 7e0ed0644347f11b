"""The pages keep their word: what they name exists, what they link to is there, no part of the notes is left out."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]

# The headings of the study notes, in their order.
NOTES = [
    "What is Docker?",
    "Where are Docker images stored?",
    "Docker versus Virtual Machines",
    "ECS (Elastic Container Service)",
    "Fargate",
    "ECR (Elastic Container Registry)",
    "What’s Serverless?",
    "Why AWS Lambda?",
    "Benefits of AWS Lambda",
    "AWS Lambda Language Support",
    "AWS Lambda Pricing: Example",
    "Amazon API Gateway",
    "AWS Batch",
    "Batch vs Lambda",
    "Amazon Lightsail",
    "Lambda Summary",
    "Other Compute Summary",
]

# The tables of the notes that compare two things: rows, by the heading they are under.
COMPARED = {"Docker versus Virtual Machines": 4, "Why AWS Lambda?": 4, "Batch vs Lambda": 5}

_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
_FILE = re.compile(r"(?:[\w.-]+/)*[\w-]+\.(?:py|sh|md|json|toml|svg|txt|in|mjs|png|yaml)")

by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def _sections(text: str) -> dict[str, str]:
    """The text under each heading, to the next one."""
    parts = re.split(r"^#+ (.+)$", _without_code(text), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def _anchor(heading: str) -> str:
    """What a heading is linked by, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _rows(section: str) -> Iterator[list[str]]:
    """The cells of each row of its tables, headings and rules left out."""
    for table in re.findall(r"(?:^\|.*\n?)+", section, re.MULTILINE):
        for line in table.splitlines()[2:]:
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def test_each_part_of_the_notes_has_its_entry_in_their_order() -> None:
    assert [title for title in _sections((ROOT / "docs" / "notes.md").read_text())][1:] == NOTES


@pytest.mark.parametrize("title", NOTES)
def test_each_claim_says_where_it_is_seen(title: str) -> None:
    rows = list(_rows(_sections((ROOT / "docs" / "notes.md").read_text())[title]))
    assert rows
    assert [row for row in rows if len(row) < 2 or not all(row)] == []
    shown = re.compile(r"\]\(|`make |Not shown")
    assert [row for row in rows if not shown.search(row[-1])] == [], "says neither where nor why not"


@pytest.mark.parametrize(("title", "count"), COMPARED.items())
def test_each_comparison_has_a_column_that_shows_it(title: str, count: int) -> None:
    section = _sections((ROOT / "docs" / "notes.md").read_text())[title]
    assert len(re.findall(r"^\| [^|]+ \| [^|]+ \| See it here \|$", section, re.MULTILINE)) == 1
    assert len([row for row in _rows(section) if len(row) == 3]) == count


@by_page
def test_links_lead_somewhere(page: Path) -> None:
    lost = []
    for text, link in _LINK.findall(page.read_text()):
        path, _, anchor = link.partition("#")
        if "://" in path:
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in map(_anchor, _sections(target.read_text()))):
            lost.append((text, link))
    assert lost == []


@by_page
def test_tests_that_are_named_are_where_the_link_leads(page: Path) -> None:
    assert [
        (name, link)
        for name, link in re.findall(r"\[`(test_\w+)`\]\(([^)]+)\)", page.read_text())
        if f"def {name}(" not in (page.parent / link).read_text()
    ] == []
    without_link = re.findall(r"(?<!\[)`(test_\w+)`", page.read_text())
    assert without_link == []


@by_page
def test_files_that_are_named_exist(page: Path) -> None:
    named = {text for text in re.findall(r"`([^`\s]+)`", _without_code(page.read_text())) if _FILE.fullmatch(text)}
    made_by_a_run = re.compile(r"\.cache/|cdk\.out/|reports/|album\.pdf")
    named = {name for name in named if not made_by_a_run.match(name)}
    assert [name for name in sorted(named) if not (ROOT / name).exists() and not _somewhere(name)] == []


def _somewhere(name: str) -> bool:
    """Whether a name without a folder is that of some file under version control."""
    listed = subprocess.run(["git", "ls-files", f"*{name}"], cwd=ROOT, capture_output=True, text=True, check=True)
    return "/" not in name and name in {Path(line).name for line in listed.stdout.splitlines()}


@by_page
def test_make_targets_that_are_named_exist(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(), re.MULTILINE)) <= targets
