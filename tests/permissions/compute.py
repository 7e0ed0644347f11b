"""Trials of the roles that depend on the setting `thumbnails_on`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext

from local.sandbox import Sandbox
from tests.e2e.cloudformation import stack_resources
from tests.e2e.programs import Workers, thumbnail_consumer
from tests.permissions.authorization import AuthorizationLog
from tests.permissions.probes import THUMBNAIL_PROBES, WORKER_PROBES
from tests.permissions.trials import PermissionTrials

# Prefixes of the paths of roles that exist only with one of these values, or serve other compute with it.
ROLES: Mapping[str, tuple[str, ...]] = {
    "fargate": ("Workers/",),
    "ec2": ("Workers/", "Ecs/WorkerHosts/"),
    "lambda-image": ("Thumbnails/FunctionRole",),
}


@contextmanager
def compute_trials(
    sandbox: Sandbox, log: AuthorizationLog, value: str, *, except_roles: frozenset[str] = frozenset()
) -> Iterator[PermissionTrials]:
    """Prepare the trials of the roles that depend on this value. One worker runs while the block does.

    Args:
        sandbox: A sandbox with at least the stack that contains the consumer of the upload queue.
        log: The decisions of IAM.
        value: The value of `thumbnails_on` in this sandbox.
        except_roles: Paths of roles without trials.
    """
    consumer = thumbnail_consumer(sandbox)
    workers = consumer if isinstance(consumer, Workers) else None
    with _one_worker(sandbox, workers) if workers else nullcontext():
        yield PermissionTrials(
            sandbox,
            log,
            WORKER_PROBES if workers else THUMBNAIL_PROBES,
            lambda role: role.path.startswith(ROLES[value]) and role.path not in except_roles,
        )


@contextmanager
def _one_worker(sandbox: Sandbox, workers: Workers) -> Iterator[None]:
    """Run one worker, and keep the alarms from stopping it between two probes."""
    cloudwatch, resources = sandbox.client("cloudwatch"), stack_resources(sandbox).items()
    alarms = [name for (stack, kind, _), name in resources if (stack, kind) == ("Workers", "AWS::CloudWatch::Alarm")]
    cloudwatch.disable_alarm_actions(AlarmNames=alarms)
    try:
        workers.scale(1)
        yield
    finally:
        cloudwatch.enable_alarm_actions(AlarmNames=alarms)
