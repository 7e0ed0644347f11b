"""Runs the handler of the thumbnail function as the Lambda runtime does: one event after the other in one process.

Each line of standard input is an event, and each line of standard output its result. The first line of standard output
is the number of photos that the function processes at the same time. The module path is the deployment package.
"""

import json
import os
import sys
from math import ceil
from time import perf_counter


class _Context:
    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 900_000  # Lambda's maximum: no photo is left for another batch


def main(package: str, core: str, threads: str) -> None:
    """Answer each event with the milliseconds that Lambda would bill (`billed_ms`).

    Args:
        package: Folder of the deployment package.
        core: The only core that the process and its decoder process may use.
        threads: Number of photos to process at the same time. Empty for that of the function.
    """
    os.sched_setaffinity(0, {int(core)})
    sys.path.insert(0, package)
    from thumbnail import handler as function

    settings = vars(function)
    settings["THREADS"] = int(threads or settings["THREADS"])
    print(json.dumps({"threads": settings["THREADS"]}), flush=True)
    for line in sys.stdin:
        event, start = json.loads(line), perf_counter()
        function.handler(event, _Context())
        print(json.dumps({"billed_ms": ceil(1000 * (perf_counter() - start))}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
