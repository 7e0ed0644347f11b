"""The page of what was proved, from what the runs wrote down: `python -m local.proofs` makes `docs/proofs.md`.

A test that proves a claim takes the fixture `proof` and says what it tried, how often, and what it found; the soak
does the same. Each leaves a file in `.cache/proofs`, from which the page is made. What has not run here lately keeps
the rows it has, with their date; what has never run stops the page; what is proved no more has no row.
"""

import argparse
import ast
import hashlib
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parent.parent
RECORDS = ROOT / ".cache" / "proofs"
PAGE = ROOT / "docs" / "proofs.md"

# In the order of the page.
CLAIMS = (
    "Nothing is lost",
    "Dead letters end with a reason",
    "Each role may do what is needed, and no more",
    "Nothing is open",
    "Nothing is left",
    "The first deployment and every update work",
    "Alarms tell the truth",
)

# What proves something and is no test.
COMMANDS = ("make soak", "make privileges")

_HEAD = """# What was proved, and how

Written by `python -m local.proofs` from what the runs themselves put down; `make proofs` does all of it again.
In the sandbox on a laptop: the emulator with IAM enforced, never a real account.
"""
_TABLE = "| What was tried | How often | What was found | By | On |\n|---|--:|---|---|---|"
_LAST_CELLS = re.compile(r"\| `([^`]+)` \| [\d-]+ \|$")


@dataclass(frozen=True)
class Proof:
    """One row of the page.

    claim: one of CLAIMS
    tried: what was done to show it wrong
    times: how often
    found: what came of it, in the run's own numbers
    """

    claim: str
    tried: str
    times: int
    found: str

    def __post_init__(self) -> None:
        if self.claim not in CLAIMS:
            raise ValueError(f"A claim is one of {', '.join(map(repr, CLAIMS))}, but received {self.claim!r}")


@dataclass(frozen=True)
class Record:
    """What one prover wrote down in its last run.

    by: the command, or the id of a test as pytest has it
    on: UTC, ISO 8601 date
    """

    by: str
    on: str
    proofs: tuple[Proof, ...]

    @property
    def prover(self) -> str:
        """Who can do it again: the command, or the test without its parameters."""
        return self.by.partition("[")[0]


class Incomplete(RuntimeError):
    """Some provers have never run. The message names them."""


def forget(by: str, records: Path) -> None:
    """Drop what this prover wrote down before: it runs again."""
    _file(records, by).unlink(missing_ok=True)


def write(by: str, proofs: Sequence[Proof], records: Path) -> None:
    """Put down what this prover found."""
    records.mkdir(parents=True, exist_ok=True)
    record = Record(by, datetime.now(UTC).date().isoformat(), tuple(proofs))
    _file(records, by).write_text(json.dumps(asdict(record), indent=1, ensure_ascii=False) + "\n")


def provers(tests: Path = ROOT / "tests") -> set[str]:
    """Every prover there is: the commands, and the tests that take the fixture `proof`."""
    return {*COMMANDS, *_tests_with_the_fixture(tests)}


def page(before: str, records: Path = RECORDS, tests: Path = ROOT / "tests") -> str:
    """The page, in Markdown. before: the page as it was. Raises Incomplete."""
    rows = [row for record in read(records) for row in _rows(record)]
    ran = {row.prover for row in rows}
    rows += [row for row in _rows_of(before) if row.prover not in ran]
    there = provers(tests)
    if missing := there - {row.prover for row in rows}:
        raise Incomplete("No record of: " + ", ".join(sorted(missing)))
    parts = [_HEAD]
    for claim in CLAIMS:
        of_claim = [row for row in rows if row.claim == claim and row.prover in there]
        if of_claim:
            # Commands first: they try most.
            of_claim.sort(key=lambda row: (row.prover not in COMMANDS, row.prover))
            parts.append("\n".join([f"## {claim}", "", _TABLE, *(row.markdown for row in of_claim), ""]))
    return "\n".join(parts)


@dataclass(frozen=True)
class _Row:
    claim: str
    prover: str
    markdown: str


def _rows(record: Record) -> Iterator[_Row]:
    for proof in record.proofs:
        cells = (proof.tried, f"{proof.times:,}", proof.found, f"`{record.prover}`", record.on)
        line = " | ".join(cell.replace("|", "∣").replace("\n", " ") for cell in cells)
        yield _Row(proof.claim, record.prover, f"| {line} |")


def _rows_of(page: str) -> Iterator[_Row]:
    claim = ""
    for line in page.splitlines():
        if line.startswith("## "):
            claim = line.removeprefix("## ")
        elif row := _LAST_CELLS.search(line):
            yield _Row(claim, row[1], line)


def _tests_with_the_fixture(tests: Path) -> Iterator[str]:
    for file in sorted(tests.rglob("test_*.py")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.FunctionDef) and "proof" in {argument.arg for argument in node.args.args}:
                yield f"{file.relative_to(tests.parent).as_posix()}::{node.name}"


def _file(records: Path, by: str) -> Path:
    return records / f"{hashlib.sha256(by.encode()).hexdigest()[:16]}.json"


def read(records: Path) -> list[Record]:
    """What was written down, in the order of who did."""
    found = []
    for file in records.glob("*.json"):
        content = json.loads(file.read_text())
        found.append(Record(content["by"], content["on"], tuple(Proof(**proof) for proof in content["proofs"])))
    return sorted(found, key=lambda record: record.by)


if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m local.proofs", description=__doc__).parse_args()
    try:
        text = page(PAGE.read_text() if PAGE.exists() else "")
    except Incomplete as error:
        sys.exit(f"{error}\n`make proofs` runs them all.")
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text)
