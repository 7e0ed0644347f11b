"""The page of what was proved: `python -m tools.guarantees` writes `docs/reports/guarantees.md`.

A test that proves a claim takes the fixture `proof` and says what it tried, how often, and what it found; the soak
does the same. Each leaves a file in `.cache/proofs`, and the page is made of these alone. Whoever has not run, or has
failed in its last run, stops the page: all of it is true, or there is none.
"""

import argparse
import ast
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
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

# What proves something and is no test. Each is a target of make.
COMMANDS = ("make soak", "make privileges")

# Files of tests each of which looks for a known trap. One row of the page is for all of a file.
TRAPS = "test_deploy_traps_*.py"

_HEAD = """# What was proved, and how

Written by `python -m tools.guarantees` from what the runs themselves put down; `make proofs` does all of it again.
In the sandbox on a laptop: the emulator with IAM enforced, never a real account.

Security groups and the firewall of Lightsail are on paper there: whom they let in is shown from the templates only.
Calls from another address are tried at the API and with links that it signed.
"""
_TABLE = "| What was tried | How many | What was found | By | On |\n|---|--:|---|---|---|"
_LAST_CELLS = re.compile(r"\| `([^`]+)` \| [\d-]+ \|$", re.MULTILINE)


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

    by: the command, or the id of a test or of a file as pytest has it
    on: UTC, ISO 8601 date
    proofs: none if that run came to no end, or to a bad one
    """

    by: str
    on: str
    proofs: tuple[Proof, ...]

    @property
    def prover(self) -> str:
        """Who can do it again: the command, or the test without its parameters."""
        return self.by.partition("[")[0]


class Incomplete(RuntimeError):
    """Some provers have not run, or not to a good end. The message names them."""


def forget(by: str, records: Path) -> None:
    """Put down that this prover has found nothing: it runs again, or has failed."""
    write(by, (), records)


def write(by: str, proofs: Sequence[Proof], records: Path) -> None:
    """Put down what this prover found."""
    records.mkdir(parents=True, exist_ok=True)
    record = Record(by, datetime.now(UTC).date().isoformat(), tuple(proofs))
    _file(records, by).write_text(json.dumps(asdict(record), indent=1, ensure_ascii=False) + "\n")


def provers(tests: Path = ROOT / "tests") -> set[str]:
    """Every prover there is: the commands, the tests that take the fixture `proof`, and each file of traps as one."""
    traps = {file.relative_to(tests.parent).as_posix() for file in tests.rglob(TRAPS)}
    return {*COMMANDS, *traps, *_tests_with_the_fixture(tests)}


def page(records: Path = RECORDS, tests: Path = ROOT / "tests") -> str:
    """The page, in Markdown. Raises Incomplete."""
    there = provers(tests)
    found = [record for record in read(records) if record.prover in there]
    failed = {record.by for record in found if not record.proofs}
    never = there - {record.prover for record in found}
    if never or failed:
        raise Incomplete("\n".join([*_named("Has not run", never), *_named("Has not come to a good end", failed)]))
    # Commands first: they try most.
    found.sort(key=lambda record: (record.prover not in COMMANDS, record.by))
    parts = [_HEAD]
    for claim in CLAIMS:
        rows = [_row(record, proof) for record in found for proof in record.proofs if proof.claim == claim]
        if rows:
            parts.append("\n".join([f"## {claim}", "", _TABLE, *rows, ""]))
    return "\n".join(parts)


def provers_on(page: str) -> set[str]:
    """Who has a row on a page."""
    return {*_LAST_CELLS.findall(page)}


def _named(what: str, provers: Iterable[str]) -> Iterator[str]:
    return (f"{what}: {prover}" for prover in sorted(provers))


def _row(record: Record, proof: Proof) -> str:
    cells = (proof.tried, f"{proof.times:,}", proof.found, f"`{record.prover}`", record.on)
    return f"| {' | '.join(cell.replace('|', '∣').replace(chr(10), ' ') for cell in cells)} |"


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
    argparse.ArgumentParser(prog="python -m tools.guarantees", description=__doc__).parse_args()
    try:
        text = page()
    except Incomplete as error:
        sys.exit(f"{error}\n`make proofs` runs them all.")
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text)
