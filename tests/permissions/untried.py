"""Rights that no work in the sandbox uses, as what would use them is not there: with the reason, and who says so."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.permissions.grants import Grant

_GUIDES = "https://docs.aws.amazon.com"


@dataclass(frozen=True)
class Untried:
    """roles: pattern of their paths; says: the page of AWS that asks for these rights"""

    roles: str
    actions: frozenset[str]
    reason: str
    says: str

    def has(self, grant: Grant) -> bool:
        """Whether this is the reason why that right is not used."""
        return fnmatchcase(grant.role.path, self.roles) and grant.action in self.actions


UNTRIED = [
    Untried(
        "*",
        frozenset({"xray:PutTelemetryRecords", "xray:PutTraceSegments"}),
        "Lambda sends a function's traces by them; the emulator takes none",
        f"{_GUIDES}/lambda/latest/dg/services-xray.html",
    ),
    Untried(
        "Api/AccessLog/Role",
        frozenset(
            {
                "s3:AbortMultipartUpload",
                "s3:GetBucketLocation",
                "s3:GetObject",
                "s3:ListBucket",
                "s3:ListBucketMultipartUploads",
            }
        ),
        "Firehose looks at its bucket and uploads large files in parts; the emulator's only puts",
        f"{_GUIDES}/firehose/latest/dev/controlling-access.html#using-iam-s3",
    ),
    Untried(
        "Registry/*Image/Role",
        frozenset({"s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetObjectVersion"}),
        "CodeBuild looks at the bucket of its source before it reads it; here it only reads",
        f"{_GUIDES}/codebuild/latest/userguide/setting-up-service-role.html",
    ),
    Untried(
        "*/Hosts/Role",
        frozenset(
            {
                "ecs:DeregisterContainerInstance",
                "ecs:DiscoverPollEndpoint",
                "ecs:Poll",
                "ecs:RegisterContainerInstance",
                "ecs:StartTelemetrySession",
                "ecs:SubmitAttachmentStateChanges",
                "ecs:SubmitContainerStateChange",
                "ecs:SubmitTaskStateChange",
                "ecs:UpdateContainerInstancesState",
            }
        ),
        "The agent of ECS on a host calls them; the emulator has no hosts",
        f"{_GUIDES}/AmazonECS/latest/developerguide/instance_IAM_role.html",
    ),
]


def reason_of(grant: Grant) -> Untried | None:
    """Why nothing uses this right here, if that is known."""
    return next((untried for untried in UNTRIED if untried.has(grant)), None)


def idle(unused: Iterable[Grant]) -> list[str]:
    """Reasons that no unused right needs any more, action by action."""
    unused = list(unused)
    return [
        f"{untried.roles}: {action}"
        for untried in UNTRIED
        for action in sorted(untried.actions)
        if not any(untried.has(grant) and grant.action == action for grant in unused)
    ]
