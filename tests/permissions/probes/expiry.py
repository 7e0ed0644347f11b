"""Probes of the expiry. Termination protection keeps the stacks of the sandbox."""

import json
from datetime import datetime, timedelta
from uuid import uuid4

from tests.permissions.probe import ProbeFailed, Trial, probe
from tests.permissions.probes.sweep import create_due_schedule
from tests.queues import alert_inbox

_FUNCTION = "Expiry/Function"

# The first report about what remains.
_REPORT_AFTER = timedelta(hours=1)


@probe
def deletes_stack_and_reports_what_remains(trial: Trial) -> None:
    """Delete a stack that left the app, and report the stacks that remain."""
    context, sandbox = trial.context, trial.context.sandbox
    cloudformation = sandbox.client("cloudformation")
    _protect_stacks(trial)
    name = sandbox.stack_name(f"Old{uuid4().hex[:8]}")
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}),
        Tags=[{"Key": "project", "Value": sandbox.stack_name("").removesuffix("-")}],
    )
    trial.cleanup.callback(cloudformation.delete_stack, StackName=name)
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    time = datetime.fromisoformat(sandbox.outputs["Expiry"]["ExpiresAt"]) + _REPORT_AFTER
    with alert_inbox(sandbox) as inbox:
        context.invoke(context.resources.physical_id(_FUNCTION), {"time": time.isoformat()})
        trial.wait_until("report in the alert topic", lambda: sandbox.queue_depth(inbox) > 0)
    if name in {stack["StackName"] for stack in cloudformation.describe_stacks()["Stacks"]}:
        raise ProbeFailed("the stack that left the app remains")


@probe
def starts_expiry_on_schedule(trial: Trial) -> None:
    """Start the expiry on schedule."""
    role = trial.context.resources.physical_id("Expiry/FunctionRole")
    create_due_schedule(trial, "Expiry/Schedule", _FUNCTION)
    trial.wait_until("log of the function", lambda: trial.count_requests(role, "logs:CreateLogStream") > 0)


def _protect_stacks(trial: Trial) -> None:
    cloudformation = trial.context.sandbox.client("cloudformation")
    for stack in trial.context.sandbox.outputs:
        protection = {"StackName": trial.context.sandbox.stack_name(stack)}
        cloudformation.update_termination_protection(**protection, EnableTerminationProtection=True)
        trial.cleanup.callback(
            cloudformation.update_termination_protection, **protection, EnableTerminationProtection=False
        )
