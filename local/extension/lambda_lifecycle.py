"""Lambda: invocations in progress end normally when their event source mapping, their function, or its code changes.

Emulated: a mapping that is being deleted stays in the state `Deleting`, and CloudFormation waits before it deletes the
function and its role, until the batches in progress have ended; an execution environment with an invocation in progress
is kept until that ends. Without this, such a batch loses its process or its permissions, and its messages are invisible
for the visibility timeout of the queue. Not emulated: the state `Disabling`.

See https://docs.aws.amazon.com/lambda/latest/api/API_DeleteEventSourceMapping.html
and https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
"""

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from ministack.core import lambda_runtime
from ministack.core.concurrency import spawn_background
from ministack.core.responses import get_account_id, get_region, json_response
from ministack.services import lambda_svc
from ministack.services.cloudformation import stacks
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS

from local.extension.cloudformation import Properties

_MAPPING = "AWS::Lambda::EventSourceMapping"

# In addition to the timeout of the function: the start of its process, and the end of the batch.
_GRACE_SECONDS = 60


def extend() -> None:
    """Wait for batches before mappings are deleted, and end processes when they are idle."""
    _wait_for_batches()
    _keep_busy_workers()
    _end_workers_of_deleted_functions()


def _wait_for_batches() -> None:
    poll, polling = lambda_svc._poll_sqs, threading.Lock()
    delete, handler = lambda_svc._delete_esm, _RESOURCE_HANDLERS[_MAPPING]
    runs_on_worker_thread = stacks._runs_on_worker_thread

    def poll_in_turn() -> Any:
        with polling:
            return poll()

    def stop(mapping: dict[str, Any]) -> None:
        mapping.update(Enabled=False, State="Deleting")

    def wait_and_delete(mapping: dict[str, Any]) -> Any:
        with polling:  # A pass of the poller that has seen the mapping enabled has now counted its batches.
            pass
        _wait_until_idle(mapping)
        return delete(mapping["UUID"])

    def delete_in_background(mapping_id: str) -> Any:
        mapping = lambda_svc._esms.get(mapping_id)
        if mapping is None:
            return delete(mapping_id)  # returns the error
        stop(mapping)
        spawn_background(wait_and_delete, mapping)
        return json_response(lambda_svc._esm_response(mapping), 202)

    def delete_and_wait(mapping_id: str, props: Properties) -> None:
        if mapping := lambda_svc._esms.get(mapping_id):
            stop(mapping)
            wait_and_delete(mapping)

    lambda_svc._poll_sqs = poll_in_turn
    lambda_svc._delete_esm = delete_in_background
    handler["delete"] = delete_and_wait
    # On the event loop, the handler would stop the calls of the functions that it waits for.
    stacks._runs_on_worker_thread = lambda kind: kind == _MAPPING or runs_on_worker_thread(kind)


def _wait_until_idle(mapping: dict[str, Any]) -> None:
    function, _ = lambda_svc._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))
    seconds = (function["config"]["Timeout"] if function else 0) + _GRACE_SECONDS
    deadline = time.monotonic() + seconds
    while lambda_svc._esm_inflight.get(mapping["UUID"]):
        if time.monotonic() > deadline:
            raise TimeoutError(f"Batches of {mapping['FunctionName']} still run after {seconds} s.")
        time.sleep(0.05)


def _keep_busy_workers() -> None:
    kill = lambda_runtime.kill_workers
    busy: set[lambda_runtime.Worker] = set()

    def kill_idle(workers: Iterable[lambda_runtime.Worker]) -> None:
        kill([worker for worker in workers if worker not in busy])

    def kept_while_busy(invoke: Callable[..., Any]) -> Callable[..., Any]:
        def run(worker: lambda_runtime.Worker, *args: Any, **options: Any) -> Any:
            busy.add(worker)
            try:
                return invoke(worker, *args, **options)
            finally:
                busy.discard(worker)
                if not any(worker in pool for pool in [*lambda_runtime._workers.values()]):
                    kill([worker])  # The function has changed meanwhile.

        return run

    lambda_runtime.kill_workers = kill_idle
    for kind in (lambda_runtime.Worker, lambda_runtime.ProvidedWorker):
        kind.invoke = kept_while_busy(kind.invoke)


def _end_workers_of_deleted_functions() -> None:
    handler = _RESOURCE_HANDLERS["AWS::Lambda::Function"]
    delete = handler["delete"]

    def delete_and_end(name: str, props: Properties) -> None:
        delete(name, props)
        scope = {"account": get_account_id(), "region": get_region()}
        spawn_background(lambda_runtime.invalidate_worker, name, **scope)

    handler["delete"] = delete_and_end
