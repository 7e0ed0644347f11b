"""The resource that a call needs a right to, where the emulator checks it against another one than AWS does."""

import json
from typing import Any

from ministack.core import iam_actions


def extend() -> None:
    """Correct what the emulator derives from a request."""
    resource_of = iam_actions.extract_resource_arn

    def corrected(
        service: str, method: str, path: str, headers: Any, body: bytes, query: Any, region: str, account: str
    ) -> Any:
        arn = resource_of(service, method, path, headers, body, query, region, account)
        call = headers.get("x-amz-target", "").rpartition(".")[2]
        if call == "BatchGetBuilds":  # a build is its project's
            project = json.loads(body)["ids"][0].partition(":")[0]
            return f"arn:aws:codebuild:{region}:{account}:project/{project}"
        if call in (
            "CreateLogStream",
            "PutLogEvents",
        ):  # the ARN of a log group ends so, in policies as in what the CDK writes
            return arn.removesuffix(":*") + ":*"
        return arn

    iam_actions.extract_resource_arn = corrected
