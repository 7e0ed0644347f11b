"""Runs the handler of the thumbnail function as the Lambda runtime does: one event after the other in one process.

Each line of standard input is an event, and each line of standard output its result. The first line of standard output
is the number of photos that the function processes at the same time. The module path is the deployment package.
"""

import argparse
import json
import os
import sys
from math import ceil
from time import perf_counter


class _Context:
    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 900_000  # Lambda's maximum: no photo is left for another batch


def main() -> None:
    """Answer each event with the milliseconds that Lambda would bill (`billed_ms`)."""
    parser = argparse.ArgumentParser(prog="python tools/benchmark/invocations.py", description=main.__doc__)
    parser.add_argument("package", help="folder of the deployment package")
    parser.add_argument("core", type=int, help="the only core that the process and its decoder process may use")
    parser.add_argument("threads", nargs="?", type=int, help="photos at the same time (default: those of the function)")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {arguments.core})
    sys.path.insert(0, arguments.package)
    from thumbnail import handler as function

    settings = vars(function)
    settings["THREADS"] = arguments.threads or settings["THREADS"]
    print(json.dumps({"threads": settings["THREADS"]}), flush=True)
    for line in sys.stdin:
        event, start = json.loads(line), perf_counter()
        function.handler(event, _Context())
        print(json.dumps({"billed_ms": ceil(1000 * (perf_counter() - start))}), flush=True)


if __name__ == "__main__":
    main()
