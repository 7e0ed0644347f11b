"""Whether libraries that are deployed have known faults: `python -m tools.audit` asks PyPI, by pip-audit.

Part of `make check`, which must work without a network: what could not be asked is told, and is no failure.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent

# Fetched when it is needed, as without a network it is of no use.
_PIP_AUDIT = ("uvx", "--quiet", "pip-audit==2.10.1")
_SECONDS = 60


def audit(requirements: list[Path], command: tuple[str, ...] = _PIP_AUDIT) -> Mapping[str, Any] | None:
    """What pip-audit says of these files, which name everything with its hash; None if it could ask nobody."""
    files = [option for file in requirements for option in ("--requirement", str(file))]
    options = ["--format=json", "--progress-spinner=off", "--require-hashes", "--disable-pip"]
    try:
        run = subprocess.run([*command, *options, *files], capture_output=True, text=True, timeout=_SECONDS)
        report: Mapping[str, Any] = json.loads(run.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return report


def told(report: Mapping[str, Any] | None) -> tuple[list[str], bool]:
    """Lines for a person, and whether a library has a known fault."""
    libraries = report["dependencies"] if report else []
    faults = [
        f"{library['name']} {library['version']}: {fault['id']}, mended in {', '.join(fault['fix_versions']) or 'none'}"
        for library in libraries
        for fault in library.get("vulns", [])
    ]
    asked = [library for library in libraries if "skip_reason" not in library]
    if not asked:
        return ["Not checked for known faults of libraries: PyPI does not answer from here, or knows nothing."], False
    unknown = len(libraries) - len(asked)
    summary = f"Of {len(asked)} deployed libraries {len({it.partition(':')[0] for it in faults})} have known faults."
    return [*faults, summary + (f" PyPI does not know {unknown} more." if unknown else "")], bool(faults)


def main() -> None:
    """Ask and tell. Exits with 1, and faults on stderr, when a library has one; with 2 for wrong arguments."""
    argparse.ArgumentParser(prog="python -m tools.audit", description=__doc__).parse_args()
    lines, faulty = told(
        audit(sorted([*ROOT.glob("lambda_src/*/requirements.txt"), *ROOT.glob("containers/*/requirements.txt")]))
    )
    print("\n".join(lines), file=sys.stderr if faulty else sys.stdout)
    sys.exit(faulty)


if __name__ == "__main__":
    main()
