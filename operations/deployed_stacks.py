"""The stacks of a deployment in an account: finds them by their tag, and deletes them in the right order.

CloudFormation refuses to delete a stack whose exports another stack imports. Outputs that another stack reads with
`Fn::GetStackOutput` are not protected, and that stack needs what they name until it is deleted. So a stack is deleted
after all stacks that use its outputs. The deployed templates say which; the current app can differ.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local.console import Step, step
from operations.errors import OperationError

if TYPE_CHECKING:
    import boto3

# The tag of `app.py`: each stack of a deployment has its setting `name` as the value.
_TAG = "project"

_POLL_SECONDS = 2
# An invocation that is in flight when its function is deleted runs for up to a minute and can refill a bucket.
_RETRIES = 3
_RETRY_SECONDS = 30


@dataclass(frozen=True)
class DeployedStack:
    """A stack of a deployment.

    Attributes:
        id: The id in the app, such as `Api`.
        name: The name in the account, such as `other-compute-Api`.
        arn: Identifies the stack after its deletion, too.
        status: The status in CloudFormation, such as `CREATE_COMPLETE`.
        updated_at: The time of the last update or, without one, of the creation (UTC).
        outputs: Values by output name.
        exports: Names of the outputs that other stacks can import.
    """

    id: str
    name: str
    arn: str
    status: str
    updated_at: datetime
    outputs: Mapping[str, str]
    exports: Collection[str]


def find_stacks(session: boto3.Session, name: str) -> dict[str, DeployedStack]:
    """Return the stacks of the deployment with this setting `name` by id.

    Raises:
        OperationError: A stack has the name of a stack of the deployment, but not its tag.
    """
    found = {}
    untagged = []
    for described in session.client("cloudformation").get_paginator("describe_stacks").paginate().search("Stacks[]"):
        # Ids start with a capital letter and names contain none, so `photos` does not match `photos-of-anna-Api`.
        if match := re.fullmatch(rf"{re.escape(name)}-([A-Z]\w*)", described["StackName"]):
            # CloudFormation adds tags when it executes the first change set. An interrupted deployment never did.
            tagged = {"Key": _TAG, "Value": name} in described.get("Tags", [])
            if tagged or described["StackStatus"] == "REVIEW_IN_PROGRESS":
                found[match[1]] = _deployed_stack(match[1], described)
            else:
                untagged.append(described["StackName"])
    if untagged:
        raise OperationError(
            f"The tag {_TAG}={name} is missing on {', '.join(sorted(untagged))}. If you deployed them with an older "
            "version of this app, destroy them with it: npx cdk destroy --all. Otherwise, choose another name."
        )
    return found


def deployment_names(session: boto3.Session) -> list[str]:
    """Return the setting `name` of each deployment in the account and region."""
    stacks = session.client("cloudformation").get_paginator("describe_stacks").paginate().search("Stacks[]")
    tags = ((stack["StackName"], tag) for stack in stacks for tag in stack.get("Tags", []) if tag["Key"] == _TAG)
    return sorted({tag["Value"] for stack, tag in tags if re.fullmatch(rf"{re.escape(tag['Value'])}-[A-Z]\w*", stack)})


def deployed_templates(session: boto3.Session, stacks: Mapping[str, DeployedStack]) -> dict[str, Any]:
    """Return the template of each stack by its id. The current app can have another one."""
    cloudformation = session.client("cloudformation")
    return {stack.id: cloudformation.get_template(StackName=stack.arn).get("TemplateBody") for stack in stacks.values()}


def find_producers(stacks: Mapping[str, DeployedStack], templates: Mapping[str, Any]) -> dict[str, set[str]]:
    """Return the ids of the stacks whose outputs each stack with a template uses, by its id."""
    owners = {text: stack.id for stack in stacks.values() for text in (stack.name, *stack.exports)}
    return {
        consumer: {owners[reference] for reference in _references(template) if reference in owners} - {consumer}
        for consumer, template in templates.items()
    }


def with_producers(consumers: Collection[str], producers: Mapping[str, set[str]]) -> set[str]:
    """Return these stacks and all stacks whose outputs they use, also indirectly."""
    used: set[str] = set()
    while new := (set(consumers) | {producer for consumer in used for producer in producers[consumer]}) - used:
        used |= new
    return used


@contextmanager
def deletions_around_deployment(
    session: boto3.Session,
    stacks: Mapping[str, DeployedStack],
    templates: Mapping[str, Any],
    *,
    first: Collection[str],
    removed: Collection[str],
) -> Iterator[None]:
    """Delete stacks before and after the deployment in the block.

    A stack whose outputs another stack still uses can be deleted only after the update of that stack. The others are
    deleted before the deployment, because a new stack can need the names of an old one.

    Args:
        session: Credentials and region.
        stacks: The stacks of the deployment, by id.
        templates: Their templates.
        first: Ids of the stacks that must be gone before the deployment.
        removed: Ids of the stacks that left the app.

    Raises:
        OperationError: Stacks remain. The message gives the reasons.
    """
    used = with_producers(stacks.keys() - {*first, *removed}, find_producers(stacks, templates)) & {*removed}
    delete_stacks(session, {stack_id: stacks[stack_id] for stack_id in {*first, *removed} - used})
    yield
    delete_stacks(session, {stack_id: stacks[stack_id] for stack_id in used})


def delete_stacks(session: boto3.Session, stacks: Mapping[str, DeployedStack]) -> None:
    """Delete stacks, each after the stacks that use its outputs, and wait until they are gone.

    Tries again if a stack fails: empties its buckets, which an invocation in flight can have refilled.

    Raises:
        OperationError: Stacks remain. The message gives the reasons.
    """
    if stacks:
        with step("delete stacks") as progress:
            _delete_with_retries(session, stacks, progress)


def _delete_with_retries(session: boto3.Session, stacks: Mapping[str, DeployedStack], progress: Step) -> None:
    producers = find_producers(stacks, deployed_templates(session, stacks))
    remaining = dict(stacks)
    for retries in reversed(range(_RETRIES + 1)):
        reasons = _delete(session, remaining, producers, progress)
        remaining = {stack_id: stack for stack_id, stack in remaining.items() if stack_id in reasons}
        if not remaining:
            return
        for reason in filter(None, reasons.values()):
            print(f"  {reason}")
        if retries:
            print(f"  Trying again in {_RETRY_SECONDS} seconds …")
            time.sleep(_RETRY_SECONDS)
            for stack in remaining.values():
                _empty_buckets(session, stack)
    raise OperationError(
        f"Not deleted: {', '.join(sorted(remaining))}. The lines above and the CloudFormation events give the reason. "
        "Fix it, then run the command again."
    )


def _delete(
    session: boto3.Session,
    stacks: Mapping[str, DeployedStack],
    producers: Mapping[str, set[str]],
    progress: Step,
) -> dict[str, str]:
    """Delete stacks. Return those that remain, with the reason, or an empty text if another stack still uses them."""
    cloudformation = session.client("cloudformation")
    waiting, deleting, failed = set(stacks), set[str](), dict[str, str]()
    while True:
        used = {producer for stack_id in waiting | deleting | failed.keys() for producer in producers[stack_id]}
        # If stacks use each other, CloudFormation decides.
        for stack_id in sorted(waiting - used or (set() if deleting or failed else waiting)):
            print(f"  Deleting {stack_id} …")
            waiting.remove(stack_id)
            try:
                cloudformation.delete_stack(StackName=stacks[stack_id].arn)
                deleting.add(stack_id)
            except ClientError as error:  # for example, termination protection
                failed[stack_id] = f"{stack_id}: {error}"
        if not deleting:
            return failed | dict.fromkeys(waiting, "")
        progress.waits_for = ", ".join(sorted(deleting))
        time.sleep(_POLL_SECONDS)
        for stack_id in sorted(deleting):
            (stack,) = cloudformation.describe_stacks(StackName=stacks[stack_id].arn)["Stacks"]
            if stack["StackStatus"] != "DELETE_IN_PROGRESS":
                deleting.remove(stack_id)
                if stack["StackStatus"] == "DELETE_COMPLETE":
                    print(f"  Deleted {stack_id}")
                else:
                    failed[stack_id] = "\n  ".join([f"{stack_id}: {stack['StackStatus']}", *_failures(session, stack)])


def _failures(session: boto3.Session, stack: Mapping[str, Any]) -> list[str]:
    return [
        f"  {resource['ResourceType']} {resource['LogicalResourceId']}: {resource.get('ResourceStatusReason', '')}"
        for resource in stack_resources(session, stack["StackId"])
        if resource["ResourceStatus"] == "DELETE_FAILED"
    ]


def _empty_buckets(session: boto3.Session, stack: DeployedStack) -> None:
    for resource in stack_resources(session, stack.arn):
        if resource["ResourceType"] == "AWS::S3::Bucket" and resource["ResourceStatus"] == "DELETE_FAILED":
            session.resource("s3").Bucket(resource["PhysicalResourceId"]).objects.all().delete()


def stack_resources(session: boto3.Session, stack: str) -> Iterator[Any]:
    """Yield the resources of the stack with this name or ARN."""
    pages = session.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    yield from pages.search("StackResourceSummaries[]")


def _deployed_stack(stack_id: str, described: Mapping[str, Any]) -> DeployedStack:
    outputs = described.get("Outputs", [])
    return DeployedStack(
        id=stack_id,
        name=described["StackName"],
        arn=described["StackId"],
        status=described["StackStatus"],
        updated_at=described.get("LastUpdatedTime", described["CreationTime"]),
        outputs={output["OutputKey"]: output["OutputValue"] for output in outputs},
        exports=[output["ExportName"] for output in outputs if output.get("ExportName")],
    )


def _references(template: Any) -> Iterator[str]:
    """Yield the names of stacks and exports that a template refers to."""
    match template:
        case {"Fn::GetStackOutput": {"StackName": str(name)}} | {"Fn::ImportValue": str(name)}:
            yield name
        case dict():
            for value in template.values():
                yield from _references(value)
        case list():
            for value in template:
                yield from _references(value)
