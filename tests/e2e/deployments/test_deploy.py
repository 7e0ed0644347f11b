"""`make deploy` and `make destroy`, with the emulator as the sandbox account."""

import json
import os
import pty
import re
from pathlib import Path

import pytest

from local.emulator import ACCOUNT, LOGS, REGION
from local.inventory import inventory
from local.sandbox import Sandbox
from operations.cdk import Assembly
from tests.e2e.cloudformation import stack_outputs
from tests.e2e.operate import run_operation
from tests.e2e.photos import final_item, put_original


def _stacks(sandbox: Sandbox) -> set[str]:
    return {stack["StackName"] for stack in sandbox.client("cloudformation").describe_stacks()["Stacks"]}


def _website_cidrs(sandbox: Sandbox) -> list[str]:
    """Return the CIDR blocks that reach the Lightsail instance."""
    template = sandbox.client("cloudformation").get_template(StackName="pair-Lightsail")["TemplateBody"]
    resources = (json.loads(template) if isinstance(template, str) else template)["Resources"]
    (server,) = (it for it in resources.values() if it["Type"] == "AWS::Lightsail::Instance")
    cidrs: list[str] = server["Properties"]["Networking"]["Ports"][0]["Cidrs"]
    return cidrs


def _create_stack_that_is_not_in_the_app(sandbox: Sandbox) -> None:
    """Create a stack of the deployment that uses an output of another one, as an older version of the app could."""
    output = {"StackName": "pair-Thumbnails", "Region": REGION, "OutputName": "UploadQueueUrl"}
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Fn::GetStackOutput": output}}}
    cloudformation = sandbox.client("cloudformation")
    cloudformation.create_stack(
        StackName="pair-Old",
        TemplateBody=json.dumps({"Resources": {"Topic": topic}}),
        Tags=[{"Key": "project", "Value": "pair"}],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName="pair-Old", WaiterConfig={"Delay": 1})


@pytest.mark.guarantee("Deploys the first time")
def test_deploy_update_and_destroy(empty_sandbox: Sandbox, assembly: Path) -> None:
    before, stacks = inventory(empty_sandbox.client), _stacks(empty_sandbox)
    first, second = Assembly(assembly).with_dependencies({"Lightsail"}), Assembly(assembly).stacks().keys()

    settings = ("-c", "allowed_cidr=127.0.0.0/8", "-c", "time_zone=Asia/Tokyo")
    run = run_operation(empty_sandbox, *settings, "deploy", "Lightsail", "--yes")
    assert run.returncode == 0, run.stderr
    assert f"account {ACCOUNT}, {REGION}" in run.stdout
    assert ", ".join(sorted(first)) in run.stdout
    assert "127.0.0.0/8" in run.stdout
    assert "$0.007" in run.stdout
    assert "AWSServiceRoleForEcs" in run.stdout
    assert "pair-Lightsail.WebsiteUrl" in run.stdout
    # A line for each stack, instead of those of CloudFormation, which are in the log.
    assert set(re.findall(r"^  ✓ (\w+) \(\d", run.stdout, re.MULTILINE)) == first
    assert str(LOGS / "deploy-pair.log") in run.stdout and "_COMPLETE" not in run.stdout
    assert _stacks(empty_sandbox) == stacks | {f"pair-{stack}" for stack in first}

    # Functions got packages for this machine.
    empty_sandbox.outputs = stack_outputs(empty_sandbox)
    put_original(empty_sandbox, "photo.jpg")
    assert final_item(empty_sandbox, "photo.jpg")["state"] == "ready"

    # The update keeps the settings, changes one, and deletes what is no longer in the app.
    _create_stack_that_is_not_in_the_app(empty_sandbox)
    run = run_operation(empty_sandbox, "-c", "monthly_budget_usd=35", "deploy", "--yes")
    assert run.returncode == 0, run.stderr
    assert "deletes       Old " in run.stdout
    assert "20 → 35" in run.stdout
    assert ", ".join(sorted(second - first)) in run.stdout
    assert "AWSServiceRole" not in run.stdout
    assert _stacks(empty_sandbox) == stacks | {f"pair-{stack}" for stack in second}
    assert _website_cidrs(empty_sandbox) == ["127.0.0.0/8"]
    (schedule,) = empty_sandbox.client("scheduler").list_schedules()["Schedules"]
    described = empty_sandbox.client("scheduler").get_schedule(Name=schedule["Name"])
    assert described["ScheduleExpressionTimezone"] == "Asia/Tokyo"
    recorded = json.loads(stack_outputs(empty_sandbox)["Thumbnails"]["Settings"])["given"]
    assert recorded == {"allowed_cidr": "127.0.0.0/8", "time_zone": "Asia/Tokyo", "monthly_budget_usd": 35}

    run = run_operation(empty_sandbox, "destroy", "--yes")
    assert run.returncode == 0, run.stderr
    assert ", ".join(sorted(second)) in run.stdout
    after = inventory(empty_sandbox.client)
    assert {name for name in after - before if not name.startswith("iam AWSServiceRoleFor")} == set()
    # The bucket of the CDK bootstrap stays, and the output names it.
    bucket = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
    assert bucket in run.stdout and f"s3 {bucket}" in after

    run = run_operation(empty_sandbox, "destroy", "--yes")
    assert (run.returncode, len(run.stdout.splitlines())) == (0, 1)


def test_deploy_without_confirmation_changes_nothing(empty_sandbox: Sandbox) -> None:
    before = _stacks(empty_sandbox)
    terminal, stdin = pty.openpty()
    try:
        os.write(terminal, b"never\nn\n")
        run = run_operation(empty_sandbox, "deploy", "Lightsail", stdin=stdin)
    finally:
        os.close(terminal)
        os.close(stdin)
    assert (run.returncode, run.stderr) == (0, "Synthesizing the templates of all stacks …\n")
    assert "[y/N]" in run.stdout
    assert _stacks(empty_sandbox) == before
