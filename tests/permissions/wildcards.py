"""Reasons for the wildcards in policies, read from the cdk-nag acknowledgements in the assembly's metadata.

`:*` at the end of a log group's ARN means its log streams. It is part of the ARN format and needs no reason.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from tests.permissions.resources import construct_paths
from tests.permissions.roles import Permission

_RULE = re.compile(r"AwsSolutions::AwsSolutions-IAM5\[Resource::(.*)\]")
_OTHER_STACK = re.compile(r'\{"Fn::GetStackOutput":\{"StackName":"[^"]*?(\w+)".*?FnGetAtt(\w+?)Arn[0-9A-F]{8}"\}\}')
_SAME_STACK = re.compile(r"<(\w+)(?:\.Arn)?>")
_ARN_PREFIX = re.compile(r"^arn:<AWS::Partition>:\w+:<AWS::Region>:<AWS::AccountId>:")
_LOG_GROUP = re.compile(r"log-group:[^*]*:\*")


@dataclass(frozen=True)
class Wildcard:
    """An acknowledged wildcard.

    Attributes:
        construct: Path of a role, or of a construct that contains it.
        resource_label: The resource, in the format of `Permission.resource_label`.
        reason: Why the policy needs the wildcard.
    """

    construct: str
    resource_label: str
    reason: str

    def explains(self, permission: Permission) -> bool:
        """Whether this is the reason for the wildcard of a permission."""
        in_construct = f"{permission.role.path}/".startswith(f"{self.construct}/")
        return in_construct and permission.resource_label == self.resource_label


def has_wildcard(permission: Permission) -> bool:
    """Whether the resource of a permission is a pattern."""
    return "*" in permission.resource_label and not _LOG_GROUP.fullmatch(permission.resource_label)


def acknowledged_wildcards(assembly: Path) -> list[Wildcard]:
    """Return all acknowledged wildcards of an assembly."""
    paths = construct_paths(assembly)
    return [
        Wildcard(construct.strip("/"), _readable(rule[1], file.name.partition(".")[0], paths), reason)
        for file in sorted(assembly.glob("*.metadata.json"))
        for construct, entries in json.loads(file.read_text()).items()
        for entry in entries
        if entry["type"] == "aws:cdk:acknowledged-rules"
        for name, reason in entry["data"].items()
        if (rule := _RULE.fullmatch(name))
    ]


def _readable(resource: str, stack: str, paths: dict[str, dict[str, str]]) -> str:
    text = _OTHER_STACK.sub(lambda match: paths[match[1]][match[2]], _ARN_PREFIX.sub("", resource))
    return _SAME_STACK.sub(lambda match: paths[stack][match[1]], text)
