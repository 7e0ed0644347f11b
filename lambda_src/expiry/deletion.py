"""Deletes all stacks of a deployment through CloudFormation, in an order in which it can delete them.

CloudFormation deletes the resources with the role that deployed the stack, which it stores with each stack, so this
code passes no role: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteStack.html
"""

import logging
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

log = logging.getLogger("expiry")

_POLL_SECONDS = 2


@dataclass(frozen=True)
class Stack:
    """An existing stack of the deployment.

    Attributes:
        id: The id in the app, such as `Api`.
        arn: The stack ID of CloudFormation.
        status: The status in CloudFormation, such as `CREATE_COMPLETE`.
        reason: Why the stack has this status, or why CloudFormation rejected its deletion; can be empty.
        outputs: Values by output name.
    """

    id: str
    arn: str
    status: str
    reason: str
    created_at: datetime
    outputs: Mapping[str, str]

    @property
    def is_busy(self) -> bool:
        """Whether an operation is in progress. A stack without resources, in REVIEW_IN_PROGRESS, can be deleted."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"


@dataclass(frozen=True)
class DeletionOrder:
    """The order in which the stacks of a deployment are deleted.

    Attributes:
        users: For each stack of the app, the stacks that use it and are deleted before it.
        last: The stacks that are deleted after all others, one after the other.
    """

    users: Mapping[str, Collection[str]]
    last: Sequence[str]

    def next_stacks(self, stacks: Mapping[str, Stack], failed: Collection[str]) -> list[str]:
        """Return the ids of the stacks whose turn it is.

        Stacks that are no longer in the app come first, from the newest to the oldest, because they can use any stack.
        Then each stack follows the stacks that use it, so independent stacks are deleted at the same time.

        Args:
            stacks: The existing stacks by id.
            failed: Ids of the stacks whose deletion failed. The stacks that they use are kept.
        """
        others = stacks.keys() - {*self.last}
        if not others:
            return [stack_id for stack_id in self.last if stack_id in stacks][:1]
        no_longer_in_app = others - self.users.keys() - {*failed}
        if no_longer_in_app:
            return [max(no_longer_in_app, key=lambda stack_id: stacks[stack_id].created_at)]
        return [it for it in sorted(others & self.users.keys()) if stacks.keys().isdisjoint(self.users[it])]


class Deletion:
    """Deletes the stacks of a deployment.

    Args:
        cloudformation: A client of CloudFormation.
        name: The setting `name` of the deployment.
        expires_at: The setting `expires_at` with which this code was deployed.
        order: Its last stack is the one that runs this code.
    """

    def __init__(self, cloudformation: Any, name: str, expires_at: str, order: DeletionOrder) -> None:
        self._cloudformation = cloudformation
        self._name = name
        self._expires_at = expires_at
        self._order = order

    def run(self, has_time: Callable[[], bool]) -> list[Stack]:
        """Delete all stacks, each at most once, until none is left or the others cannot be deleted now.

        Stop if the last stack, which runs this code, is being updated or deleted, or has another time: `make deploy`
        changes the expiry, or `make destroy` deletes the stacks.

        Args:
            has_time: Returns whether there is time for another step.

        Returns:
            The stacks that remain, except the last one.
        """
        own = self._order.last[-1]
        rejections: dict[str, str] = {}  # of the stacks whose deletion was requested; empty if accepted
        while True:
            stacks = self._find()
            if own not in stacks or stacks[own].is_busy or self._has_another_time(stacks[own]):
                return []
            failed = {it for it in rejections if it in stacks and (rejections[it] or _failed(stacks[it]))}
            busy = {it for it, stack in stacks.items() if stack.is_busy or it in rejections} - failed
            ready = [it for it in self._order.next_stacks(stacks, failed) if it not in busy | failed]
            for stack_id in ready:
                rejections[stack_id] = self._delete(stacks[stack_id])
            if own in ready:
                return []
            if not (ready or busy) or not has_time():
                return [
                    replace(it, reason=rejections.get(it.id) or it.reason) for it in stacks.values() if it.id != own
                ]
            time.sleep(_POLL_SECONDS)

    def _has_another_time(self, stack: Stack) -> bool:
        return stack.outputs.get("ExpiresAt", self._expires_at) != self._expires_at

    def _find(self) -> dict[str, Stack]:
        pages = self._cloudformation.get_paginator("describe_stacks").paginate()
        return {
            match[1]: Stack(
                id=match[1],
                arn=described["StackId"],
                status=described["StackStatus"],
                reason=described.get("StackStatusReason", ""),
                created_at=described["CreationTime"],
                outputs={it["OutputKey"]: it["OutputValue"] for it in described.get("Outputs", [])},
            )
            for page in pages
            for described in page["Stacks"]
            # Ids start with a capital letter and names contain none, so `photos` does not match `photos-of-anna-Api`.
            if (match := re.fullmatch(rf"{re.escape(self._name)}-([A-Z]\w*)", described["StackName"]))
            and {"Key": "project", "Value": self._name} in described.get("Tags", [])
        }

    def _delete(self, stack: Stack) -> str:
        """Request the deletion of a stack. Return why CloudFormation rejected the request, or an empty text."""
        log.info("Deleting %s (%s)", stack.id, stack.status)
        try:
            self._cloudformation.delete_stack(StackName=stack.arn)
        except ClientError as error:  # for example, termination protection
            log.warning("%s: %s", stack.id, error)
            return str(error)
        return ""


def _failed(stack: Stack) -> bool:
    return stack.status == "DELETE_FAILED"
