"""The program of the decoder process: answers requests from standard input with thumbnails on standard output.

A message is a line of JSON. In an answer, the thumbnails follow. It is not a pickle, because a hostile file might take
control of this process, and a pickle from it would take control of the parent process.
"""

import json
import mmap
import os
import signal
import sys
from collections.abc import Mapping
from typing import IO, Any

from photos.errors import PhotoRejected


def write_message(pipe: IO[bytes], header: Mapping[str, Any], *bodies: bytes) -> None:
    """Write a message to a pipe. Raises BrokenPipeError if the other end is closed."""
    pipe.write(json.dumps(header).encode() + b"\n")
    for body in bodies:
        pipe.write(body)
    pipe.flush()


def main() -> None:
    """Answer requests until standard input closes.

    The only argument is JSON with the file descriptor of the memory that contains the photo (`file`), and the limit of
    the memory of this process (`address_space`, bytes). A request contains the length of the photo (`bytes`), the
    `sizes`, and the limit of its CPU time (`cpu_seconds`). A photo that exceeds it ends the process with SIGPROF.
    """
    arguments = json.loads(sys.argv[1])
    memory = mmap.mmap(arguments["file"], 0, prot=mmap.PROT_READ)
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints goes to the log
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; the parent decides
    _limit_address_space(arguments["address_space"])
    from photos.imaging import make_thumbnails  # not at the top, because the parent process needs no decoder

    while line := requests.readline():
        request = json.loads(line)
        _limit_cpu_time(request["cpu_seconds"])
        thumbnails: dict[int, bytes] = {}
        try:
            thumbnails = make_thumbnails(memory[: request["bytes"]], request["sizes"])
            answer: dict[str, Any] = {"thumbnails": {size: len(webp) for size, webp in thumbnails.items()}}
        except PhotoRejected as rejection:
            answer = {"code": rejection.code, "reason": rejection.reason}
        except Exception:
            import traceback

            answer = {"error": traceback.format_exc()}
        # Before the answer: a process that ended after it would seem to have ended because of the next photo.
        _limit_cpu_time(0)
        write_message(answers, answer, *thumbnails.values())


def _limit_cpu_time(seconds: float) -> None:
    """End the process with SIGPROF after this much CPU time, also within native code. 0 removes the limit."""
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _limit_address_space(size: int) -> None:
    """Make allocations fail beyond this many bytes. Otherwise, Linux would stop a process of its own choice."""
    if sys.platform == "linux":
        import resource

        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (size if hard == resource.RLIM_INFINITY else min(size, hard), hard))
