"""IAM: the action, the resource, and the conditions that AWS checks for a request.

The emulator derives them from each request. This module corrects those that differ from the Service Authorization
Reference: https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

import json
from typing import Any

import ministack.app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import batch, s3
from ministack.services.cloudformation import _stacks


def extend() -> None:
    """Correct actions, resources, and conditions."""
    _treat_loopback_as_tls()
    _correct_actions()
    _correct_resources()
    _require_list_permission_for_missing_objects()
    _correct_stacks()


def _treat_loopback_as_tls() -> None:
    """Set `aws:SecureTransport` for each request, because bucket policies deny plain HTTP."""
    pin = iam_evaluator.pin_request_origin
    ministack.app.pin_request_origin = lambda source_ip, _secure: pin(source_ip, True)


def _correct_actions() -> None:
    """Check a batch call of SQS against the permission for the single call."""
    extract = iam_actions.extract_iam_action

    def extract_single(*arguments: Any) -> str | None:
        action: str | None = extract(*arguments)
        return action.removesuffix("Batch") if action and action.startswith("sqs:") else action

    iam_actions.extract_iam_action = extract_single


def _correct_resources() -> None:
    extract = iam_actions.extract_resource_arn

    def extract_corrected(
        service: str, method: str, path: str, headers: Any, body: bytes, query: Any, region: str, account: str
    ) -> Any:
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        batch_operation = path.rstrip("/").rpartition("/")[2].lower() if service == "batch" else ""
        if batch_operation == "submitjob":  # batch_jobs.py checks the queue as well
            return json.loads(body)["jobDefinition"]
        if batch_operation in ("canceljob", "terminatejob"):
            return batch._job_arn(json.loads(body)["jobId"])
        if operation == "BatchGetBuilds":  # checked against the project of the build
            project = json.loads(body)["ids"][0].partition(":")[0]
            return f"arn:aws:codebuild:{region}:{account}:project/{project}"
        arn = extract(service, method, path, headers, body, query, region, account)
        # The ARN of a log group in policies ends with `:*`.
        if operation in ("CreateLogStream", "GetLogEvents", "PutLogEvents"):
            return arn.removesuffix(":*") + ":*"
        return arn

    iam_actions.extract_resource_arn = extract_corrected


def _require_list_permission_for_missing_objects() -> None:
    """Deny reading a missing object (403 instead of 404) without `s3:ListBucket`.

    See "Permissions" of GetObject: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    enforce = iam_evaluator.enforce

    def enforce_list(key: str, action: str, service: str, region: str, resource_arn: str = "*", **more: Any) -> Any:
        denied = enforce(key, action, service, region, resource_arn, **more)
        bucket, _, name = resource_arn.removeprefix("arn:aws:s3:::").partition("/")
        if denied or action != "s3:GetObject" or name in s3._buckets.get(bucket, {}).get("objects", {}):
            return denied
        return enforce(key, "s3:ListBucket", service, region, f"arn:aws:s3:::{bucket}")

    iam_evaluator.enforce = enforce_list


def _correct_stacks() -> None:
    """Pass the tags of a stack to conditions, and require `cloudformation:ListStacks` to describe all stacks.

    See "StackName" of DescribeStacks: https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
    """
    enforce = iam_evaluator.enforce

    def enforce_stacks(key: str, action: str, service: str, region: str, resource_arn: str = "*", **more: Any) -> Any:
        if service == "cloudformation":
            stacks = [stack for stack in _stacks.values() if stack["StackId"] == resource_arn]
            tags = {f"aws:ResourceTag/{it['Key']}": it["Value"] for stack in stacks for it in stack.get("Tags", [])}
            more["service_context"] = {**tags, **(more.get("service_context") or {})}
        denied = enforce(key, action, service, region, resource_arn, **more)
        if denied or (action, resource_arn) != ("cloudformation:DescribeStacks", "*"):
            return denied
        return enforce(key, "cloudformation:ListStacks", service, region, "*")

    iam_evaluator.enforce = enforce_stacks
