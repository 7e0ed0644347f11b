"""What is deployed under which name, by the path of its construct: `Thumbnails/Originals`, not a bucket's long name."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from local.sandbox import Sandbox

_ARN = re.compile(r"^arn:[^:]*:[^:]*:[^:]*:[^:]*:")
_ASSET = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Resource:
    """path: of its construct, with its stack first; name: in the account, or its ARN or URL"""

    path: str
    kind: str
    name: str


class Names:
    """Of all resources in the stacks of a sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        pages = sandbox.client("cloudformation").get_paginator("list_stack_resources")
        self.all = [
            Resource(path, found["ResourceType"], found["PhysicalResourceId"])
            for stack, paths in construct_paths(sandbox.cdk.assembly).items()
            for page in pages.paginate(StackName=sandbox.stack_name(stack))
            for found in page["StackResourceSummaries"]
            if (path := paths.get(found["LogicalResourceId"]))
        ]

    def of(self, path: str) -> str:
        """The name of the resource of this construct."""
        (name,) = [resource.name for resource in self.all if resource.path == path]
        return name

    def of_kind(self, kind: str) -> list[Resource]:
        """All resources of this type."""
        return [resource for resource in self.all if resource.kind == kind]

    def told(self, arn: str) -> str:
        """An ARN as a person reads it: with the paths of constructs in it, without account and region."""
        told = _ARN.sub("", arn)
        for name, path in self._path_by_name.items():
            told = told.replace(name, path)
        return _ASSET.sub("<asset>", told)

    @cached_property
    def _path_by_name(self) -> Mapping[str, str]:
        """The longest first, as one may be a part of another."""
        # The shortest path of those with the same name: the resource itself, not what is about it.
        by_path = sorted(self.all, key=lambda resource: len(resource.path), reverse=True)
        paths = {_ARN.sub("", resource.name): resource.path for resource in by_path}
        queues = {name.rpartition("/")[2]: path for name, path in paths.items() if name.startswith("http")}
        return {name: (paths | queues)[name] for name in sorted(paths | queues, key=len, reverse=True) if len(name) > 8}


def construct_paths(assembly: Path) -> dict[str, dict[str, str]]:
    """By stack and logical id: the path of the construct, the stack's id first."""
    return {
        file.name.partition(".")[0]: {
            entry["data"]: path.strip("/").removesuffix("/Resource")
            for path, entries in json.loads(file.read_text()).items()
            for entry in entries
            if entry["type"] == "aws:cdk:logicalId"
        }
        for file in sorted(assembly.glob("*.metadata.json"))
    }
