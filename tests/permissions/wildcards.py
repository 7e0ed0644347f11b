"""Why wildcards in policies have to stay: what `stacks/support/cdk_nag.py` has put into the assembly.

The ARN of a log group ends with `:*`, which is all of its streams, and no wildcard that anyone chose.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from tests.permissions.grants import Grant
from tests.permissions.names import construct_paths

_RULE = re.compile(r"AwsSolutions::AwsSolutions-IAM5\[Resource::(.*)\]")
_OF_OTHER_STACK = re.compile(r'\{"Fn::GetStackOutput":\{"StackName":"[^"]*?(\w+)".*?FnGetAtt(\w+?)Arn[0-9A-F]{8}"\}\}')
_OF_THIS_STACK = re.compile(r"<(\w+)(?:\.Arn)?>")
_ARN = re.compile(r"^arn:<AWS::Partition>:\w+:<AWS::Region>:<AWS::AccountId>:")


_LOG_GROUP = re.compile(r"log-group:[^*]*:\*")


@dataclass(frozen=True)
class Wildcard:
    """construct: path of a role, or of what it belongs to; told: the resource, as `Grant.told` has it"""

    construct: str
    told: str
    reason: str

    def has(self, grant: Grant) -> bool:
        """Whether this is why that right has a wildcard."""
        return f"{grant.role.path}/".startswith(f"{self.construct}/") and grant.told == self.told


def has_wildcard(grant: Grant) -> bool:
    """Whether the resource of this right is a pattern."""
    return "*" in grant.told and not _LOG_GROUP.fullmatch(grant.told)


def wildcards(assembly: Path) -> list[Wildcard]:
    """All of them, with their reasons."""
    paths = construct_paths(assembly)
    found = []
    for file in sorted(assembly.glob("*.metadata.json")):
        stack = file.name.partition(".")[0]
        for construct, entries in json.loads(file.read_text()).items():
            for entry in entries:
                reasons = entry["data"] if entry["type"] == "aws:cdk:acknowledged-rules" else {}
                for rule, reason in reasons.items():
                    if named := _RULE.fullmatch(rule):
                        found.append(Wildcard(construct.strip("/"), _told(named[1], stack, paths), reason))
    return found


def _told(resource: str, stack: str, paths: dict[str, dict[str, str]]) -> str:
    told = _ARN.sub("", resource)
    told = _OF_OTHER_STACK.sub(lambda name: paths[name[1]][name[2]], told)
    return _OF_THIS_STACK.sub(lambda name: paths[stack][name[1]], told)
