"""Measurements: the API calls of each role, and the CPU time and peak memory of functions, tasks, and jobs.

While the file `measurements.json` exists in the sandbox folder, a thread replaces it several times a second.
`local/measurements.py` reads it. Calls are counted whether or not IAM allowed them, but a receive of no messages is
not. The role of a function also makes the calls by which Lambda polls its queue.

CPU time and memory include child processes. The CPU time of a task or a job that has ended is exact if it waited for
its children; all else is as of the last sample. The peak of several processes is the sum of their peaks, so they need
no more than that. Memory that they share counts several times. On macOS, only the samples count.
"""

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Iterable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import ministack.app
import psutil
from ministack.core import iam_actions, lambda_runtime

from local.extension import billable_units
from local.extension.container_processes import Process
from local.extension.iam_roles import calling_role

_INTERVAL_SECONDS = 0.25

_calls: Counter[tuple[str, str]] = Counter()
_calls_lock = threading.Lock()
_programs: list["_Program"] = []
_programs_lock = threading.Lock()

# The IAM actions of the current request.
_actions: ContextVar[list[str]] = ContextVar("actions")


class _Program:
    """A function, a task, or a job: a process with its children.

    Attributes:
        usage: The fields of `local.measurements.Usage`.
        process_id: The ID of the process.
        has_ended: Whether the process has ended, and the usage is final.
    """

    def __init__(self, kind: str, name: str, role_arn: str | None, process_id: int, process: Process | None) -> None:
        self.usage: dict[str, Any] = {"kind": kind, "name": name, "role": (role_arn or "").rpartition("/")[2]}
        self.usage |= {"cpu_seconds": 0.0, "peak_bytes": 0}
        self.process_id = process_id
        self.has_ended = False
        self._container = process

    def update(self, processes: Iterable[psutil.Process]) -> None:
        """Update the usage from all processes of this program that have not ended."""
        final = self._container.usage if self._container else None
        cpu_seconds, peak_bytes, is_running = 0.0, 0, False
        for process in processes:
            try:
                cpu_seconds += sum(process.cpu_times()[:4])  # user, system, and those of the children it waited for
                peak_bytes += _peak(process)
                is_running |= process.pid == self.process_id
            except psutil.Error:
                continue
        if final:
            # Not ru_maxrss, which starts at the peak of the emulator itself if the process was started with vfork.
            cpu_seconds = max(cpu_seconds, final.ru_utime + final.ru_stime)
        self.usage["cpu_seconds"] = max(self.usage["cpu_seconds"], cpu_seconds)
        self.usage["peak_bytes"] = max(self.usage["peak_bytes"], peak_bytes)
        self.has_ended = final is not None if self._container else not is_running


def extend() -> None:
    """Count the calls of roles, watch the processes of functions, and start the thread that writes the file."""
    _count_calls()
    for worker_class in (lambda_runtime.Worker, lambda_runtime.ProvidedWorker):
        _watch_functions(worker_class)
    _update_before_the_end()
    file = Path(os.environ["SANDBOX_FOLDER"]) / "measurements.json"
    threading.Thread(target=_write, args=(file,), daemon=True).start()


def count_call(role_arn: str, action: str, payload_bytes: int = 0) -> None:
    """Count a call that an AWS service makes with a role. SQS bills by the size of the messages."""
    with _calls_lock:
        _calls[role_arn.rpartition("/")[2], action] += 1
    if action.startswith("sqs:"):
        billable_units.count_sqs_request(payload_bytes)


def watch(kind: str, name: str, role_arn: str | None, process: Process) -> None:
    """Measure the process of a task or a job."""
    with _programs_lock:
        _programs.append(_Program(kind, name, role_arn, process.process_id, process))


def _count_calls() -> None:
    extract, dispatch = iam_actions.extract_iam_action, ministack.app._dispatch_service_request

    def extract_and_keep(*arguments: Any) -> Any:
        action = extract(*arguments)
        if action:
            _actions.get([]).append(action)
        return action

    async def dispatch_and_count(*request: Any) -> Any:
        actions: list[str] = []
        token = _actions.set(actions)
        try:
            response = await dispatch(*request)
        finally:
            _actions.reset(token)
        role = calling_role()
        for action in actions:
            if role and (action != "sqs:ReceiveMessage" or b"ReceiptHandle" in response[2]):
                count_call(role, action, max(len(request[3]), len(response[2])))
        return response

    iam_actions.extract_iam_action = extract_and_keep
    ministack.app._dispatch_service_request = dispatch_and_count


def _watch_functions(worker_class: Any) -> None:
    spawn = worker_class._spawn

    def spawn_and_watch(worker: Any, *arguments: Any, **options: Any) -> None:
        spawn(worker, *arguments, **options)
        program = _Program("function", worker.func_name, worker.config["Role"], worker._proc.pid, None)
        with _programs_lock:
            _programs.append(program)

    worker_class._spawn = spawn_and_watch


def _update_before_the_end() -> None:
    """Measure a function once more before the emulator ends its process."""
    end = lambda_runtime._signal

    def update_and_end(process: Any) -> None:
        with _programs_lock:
            for program in _programs:
                if process is not None and program.process_id == process.pid and not program.has_ended:
                    program.update(_tree(process.pid))
        end(process)

    lambda_runtime._signal = update_and_end


def _tree(process_id: int) -> list[psutil.Process]:
    try:
        root = psutil.Process(process_id)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _peak(process: psutil.Process) -> int:
    """Return the peak resident memory of a process, in bytes, or where there is no peak, the current value."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text()
    except OSError:
        return int(process.memory_info().rss)
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return int(lines.get("VmHWM", "0 kB").split()[0]) * 1024


def _write(file: Path) -> None:
    while True:
        time.sleep(_INTERVAL_SECONDS)
        if not file.exists():
            continue
        start = time.time()
        with _calls_lock:
            calls = [[*call, count] for call, count in _calls.items()]
        with _programs_lock:
            _update_all()
            content = {"time": start, "calls": calls, "usage": [program.usage for program in _programs]}
            content["units"] = billable_units.read()
        new = file.with_suffix(".new")
        new.write_text(json.dumps(content))
        new.replace(file)


def _update_all() -> None:
    """Update all programs that run. One search for all processes is cheaper than one for each program."""
    running = {program.process_id: program for program in _programs if not program.has_ended}
    trees: dict[int, list[psutil.Process]] = {process_id: [] for process_id in running}
    roots: dict[int, int | None] = {}
    # A parent comes before its children.
    for process in psutil.Process().children(recursive=True):
        try:
            root = process.pid if process.pid in running else roots.get(process.ppid())
        except psutil.NoSuchProcess:
            continue
        roots[process.pid] = root
        if root is not None:
            trees[root].append(process)
    for process_id, program in running.items():
        program.update(trees[process_id])
