"""The compute that makes thumbnails, which the setting `thumbnails_on` selects."""

import json
from contextlib import AbstractContextManager, nullcontext

from local.console import step
from local.demo.catalogue import consumer_stack, wait_until
from local.errors import SandboxError
from local.sandbox import Sandbox

# How much faster than the clock metrics and alarms are, so that workers start in seconds instead of a minute.
_METRIC_SPEED = 20

_LABELS = {
    "lambda": "Lambda",
    "lambda-image": "Lambda from an image",
    "fargate": "ECS on Fargate",
    "ec2": "ECS on EC2",
}


def consumer(sandbox: Sandbox) -> str:
    """Return the name of the compute for the description of a step."""
    settings = json.loads(sandbox.outputs["Thumbnails"]["Settings"])
    return _LABELS[settings["given"].get("thumbnails_on", "lambda")]


def fast_scaling(sandbox: Sandbox) -> AbstractContextManager[None]:
    """Scale workers within seconds while the block runs, if the deployment has workers."""
    return sandbox.emulator.accelerated_metrics(_METRIC_SPEED) if "Workers" in sandbox.outputs else nullcontext()


def processed_events(sandbox: Sandbox) -> str:
    """Return how many events the compute has processed, as its log shows. Raises SandboxError if there is none."""
    lines = [line for line in sandbox.log_lines(consumer_stack(sandbox)) if " processed: " in line]
    if not lines:
        raise SandboxError(f"The log of {consumer_stack(sandbox)} contains no processed event.")
    return f"the log of {consumer(sandbox)} shows {len(lines)} processed events"


def scale_to_zero(sandbox: Sandbox) -> None:
    """Wait until no worker runs, if the deployment has workers. Raises SandboxError."""
    if "Workers" not in sandbox.outputs:
        return
    service = sandbox.outputs["Workers"]["WorkerService"]
    counts: list[int] = []
    with step("CloudWatch → Application Auto Scaling → ECS: no work, so no worker") as findings:

        def is_zero() -> bool:
            cluster = service.split("/")[-2]
            (found,) = sandbox.client("ecs").describe_services(cluster=cluster, services=[service])["services"]
            if counts[-1:] != [found["runningCount"]]:
                counts.append(found["runningCount"])
            return bool(found["runningCount"] == found["desiredCount"] == 0)

        wait_until(sandbox, "no worker runs", is_zero)
        findings.append(f"running workers: {' → '.join(map(str, counts))}; the next upload starts one")
