"""Permissions that no probe can use, because the emulator does not make the calls that need them on AWS."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.permissions.roles import Permission

_GUIDES = "https://docs.aws.amazon.com"


@dataclass(frozen=True)
class Unexercised:
    """Permissions that the sandbox cannot exercise.

    Attributes:
        roles: Pattern of the paths of the roles.
        reason: Which calls need them on AWS, and why the sandbox makes none.
        source: URL of the AWS page that requires the permissions.
    """

    roles: str
    actions: tuple[str, ...]
    reason: str
    source: str

    def applies_to(self, permission: Permission) -> bool:
        """Whether this explains why no probe uses a permission."""
        return fnmatchcase(permission.role.path, self.roles) and permission.action in self.actions


UNEXERCISED = (
    Unexercised(
        "*",
        ("xray:PutTelemetryRecords", "xray:PutTraceSegments"),
        "Lambda sends the traces of a function. The emulator records no traces.",
        f"{_GUIDES}/lambda/latest/dg/services-xray.html",
    ),
    Unexercised(
        "Api/AccessLog/Role",
        (
            "s3:AbortMultipartUpload",
            "s3:GetBucketLocation",
            "s3:GetObject",
            "s3:ListBucket",
            "s3:ListBucketMultipartUploads",
        ),
        "Firehose inspects its bucket and uploads large files in parts. The emulator's Firehose calls only PutObject.",
        f"{_GUIDES}/firehose/latest/dev/controlling-access.html#using-iam-s3",
    ),
    Unexercised(
        "Registry/*Image/Role",
        ("s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetObjectVersion"),
        "CodeBuild inspects the bucket before it downloads the source. The emulator's CodeBuild calls only GetObject.",
        f"{_GUIDES}/codebuild/latest/userguide/setting-up-service-role.html",
    ),
    Unexercised(
        "*Hosts/Role",
        (
            "ecs:DeregisterContainerInstance",
            "ecs:DiscoverPollEndpoint",
            "ecs:Poll",
            "ecs:RegisterContainerInstance",
            "ecs:StartTelemetrySession",
            "ecs:SubmitAttachmentStateChanges",
            "ecs:SubmitContainerStateChange",
            "ecs:SubmitTaskStateChange",
            "ecs:UpdateContainerInstancesState",
        ),
        "The ECS agent of a container instance makes these calls. The emulator runs no container instances.",
        f"{_GUIDES}/AmazonECS/latest/developerguide/instance_IAM_role.html",
    ),
)


def reason_for(permission: Permission) -> Unexercised | None:
    """Return why no probe uses a permission, if there is a known reason."""
    return next((it for it in UNEXERCISED if it.applies_to(permission)), None)


def obsolete_reasons(unused: Iterable[Permission]) -> list[str]:
    """Return the actions in `UNEXERCISED` that are not among the unused permissions."""
    unused = list(unused)
    return [
        f"{it.roles}: {action}"
        for it in UNEXERCISED
        for action in it.actions
        if not any(it.applies_to(permission) and permission.action == action for permission in unused)
    ]
