"""Check the deployed libraries for known vulnerabilities with pip-audit: `python -m tools.audit`.

`make check` runs it and must work offline, so libraries that cannot be checked are reported and are no failure.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent

# Not in requirements.txt, because it is of no use offline. uv downloads it.
_PIP_AUDIT = ("uvx", "--quiet", "pip-audit==2.10.1")
_TIMEOUT = 60  # seconds


def audit(requirements: list[Path], command: tuple[str, ...] = _PIP_AUDIT) -> Mapping[str, Any] | None:
    """Return the report of pip-audit on these requirements files, or None if it could not check them."""
    files = [option for file in requirements for option in ("--requirement", str(file))]
    options = ["--format=json", "--progress-spinner=off", "--require-hashes", "--disable-pip"]
    try:
        run = subprocess.run([*command, *options, *files], capture_output=True, text=True, timeout=_TIMEOUT)
        report: Mapping[str, Any] = json.loads(run.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    return report


def summarize(report: Mapping[str, Any] | None) -> tuple[list[str], bool]:
    """Return lines to print, and whether a library has a known vulnerability."""
    libraries = report["dependencies"] if report else []
    checked = [library for library in libraries if "skip_reason" not in library]
    if not checked:
        return ["Libraries were not checked for known vulnerabilities: PyPI is unreachable or has no data."], False
    lines = [
        f"{library['name']} {library['version']}: {found['id']}, fixed in {', '.join(found['fix_versions']) or 'none'}"
        for library in checked
        for found in library["vulns"]
    ]
    vulnerable = sum(bool(library["vulns"]) for library in checked)
    skipped = len(libraries) - len(checked)
    summary = f"{vulnerable} of {len(checked)} deployed libraries have known vulnerabilities."
    return [*lines, summary + (f" PyPI does not list {skipped} more." if skipped else "")], bool(vulnerable)


def main() -> None:
    """Print the result. Exit with 1, and the lines on stderr, when a library has a known vulnerability."""
    argparse.ArgumentParser(prog="python -m tools.audit", description=__doc__).parse_args()
    requirements = [
        file for folder in ("lambda_src", "containers") for file in ROOT.glob(f"{folder}/*/requirements.txt")
    ]
    lines, vulnerable = summarize(audit(sorted(requirements)))
    print("\n".join(lines), file=sys.stderr if vulnerable else sys.stdout)
    sys.exit(vulnerable)


if __name__ == "__main__":
    main()
