"""Failures of a deployed service, and what an operator does about them."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from io import BytesIO
from zipfile import ZipFile

from local.sandbox import Sandbox
from stacks.support.deployment_package import build_deployment_package
from tests.e2e.cloudformation import stack_resources
from tests.e2e.eventually import eventually
from tests.e2e.operate import run_operation
from tests.e2e.programs import Function, Workers, thumbnail_consumer, thumbnail_function
from tests.soak.faults import InjectedFaults, inject_faults


def dead_letters(sandbox: Sandbox, stack: str) -> int:
    """Return the number of messages in the dead-letter queue of a stack."""
    return sandbox.queue_depth(sandbox.outputs[stack]["DeadLetterQueueUrl"])


def run_redrive(sandbox: Sandbox, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the command of `make redrive`, with shorter pauses: the emulator counts the messages of a queue exactly."""
    return run_operation(sandbox, "redrive", *options, program=("-c", _REDRIVE))


_REDRIVE = """
import runpy, operations.redrive
operations.redrive._INTERVAL_SECONDS = 0.2
runpy.run_module("operations", run_name="__main__", alter_sys=True)
"""


@contextmanager
def short_visibility_timeout(sandbox: Sandbox, seconds: int) -> Iterator[None]:
    """Deliver a failed event again after seconds: shorten the visibility timeout of the upload queue, and the delays of
    its consumer.

    Use this only for functions that fail immediately. SQS delivers the event of a slower function again while it
    still runs. Workers extend the timeout.
    """
    sqs, queue = sandbox.client("sqs"), sandbox.outputs["Thumbnails"]["UploadQueueUrl"]
    consumer = thumbnail_consumer(sandbox)
    usual = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": str(seconds)})
    try:
        with (
            consumer.with_faults(visibility=seconds) if isinstance(consumer, Workers) else nullcontext(),
            consumer.changed(RETRY_SECONDS=" ".join([str(seconds)] * 4)),
        ):
            yield
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes=usual)


@contextmanager
def killed_thumbnail_function(sandbox: Sandbox) -> Iterator[InjectedFaults]:
    """Kill the thumbnail function before its first call, until the event is in the dead-letter queue."""
    programs = [thumbnail_consumer(sandbox)]
    with short_visibility_timeout(sandbox, seconds=2), inject_faults(sandbox, programs, kill_at=0) as injected:
        yield injected
        eventually(lambda: dead_letters(sandbox, "Thumbnails") == 1)


def set_uploads_enabled(sandbox: Sandbox, enabled: bool) -> None:
    """Enable or disable the event source mapping of the upload queue."""
    client = sandbox.client("lambda")
    function = thumbnail_function(sandbox)
    (mapping,) = client.list_event_source_mappings(FunctionName=function.name)["EventSourceMappings"]
    client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)


def missing_catalogue(sandbox: Sandbox, function: str, table: str | None = "nowhere") -> AbstractContextManager[None]:
    """Configure a function with a table that does not exist, or with none, so that it cannot start."""
    return Function(sandbox, function).changed(CATALOGUE_TABLE=table)


@contextmanager
def broken_library(sandbox: Sandbox, library: str) -> Iterator[None]:
    """Deploy the thumbnail function with a package in which the files of a library are damaged."""
    client, function = sandbox.client("lambda"), thumbnail_function(sandbox).name
    folder = build_deployment_package("thumbnail", target="local").folder
    files = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    broken = {name: b"damaged" if name.startswith(library) else data for name, data in files.items()}
    assert broken != files
    client.update_function_code(FunctionName=function, ZipFile=_zip(broken))
    try:
        yield
    finally:
        client.update_function_code(FunctionName=function, ZipFile=_zip(files))


def _zip(files: Mapping[str, bytes]) -> bytes:
    buffer = BytesIO()
    with ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


@contextmanager
def revoked_permission(sandbox: Sandbox, stack: str, action: str, role: str = "Function") -> Iterator[None]:
    """Remove an action from the policy of a role, by default of the function role of a stack."""
    iam, role = sandbox.client("iam"), _physical_id(sandbox, stack, "AWS::IAM::Role", role)
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = json.dumps(iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"])
    without = document.replace(f'"{action}"', '"s3:GetBucketLocation"')
    assert without != document
    iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=without)
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=document)


def api_function_name(sandbox: Sandbox) -> str:
    """Return the name of the function behind the API."""
    return _physical_id(sandbox, "Api", "AWS::Lambda::Function")


def _physical_id(sandbox: Sandbox, stack: str, resource_type: str, construct_id: str = "Function") -> str:
    """Return the physical id of the resource whose construct id begins with `construct_id`."""
    (found,) = (
        physical_id
        for (where, kind, logical_id), physical_id in stack_resources(sandbox).items()
        if where == stack and kind == resource_type and logical_id.startswith(construct_id)
    )
    return found


def start_sweep(sandbox: Sandbox) -> None:
    """Start the sweep asynchronously, as the schedule does."""
    sandbox.client("lambda").invoke(
        FunctionName=sandbox.outputs["Cron"]["SweepFunction"], InvocationType="Event", Payload="{}"
    )
