"""Deployed resources by the path of their construct: `Thumbnails/Originals` instead of a bucket's physical name."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from local.sandbox import Sandbox
from tests.e2e.cloudformation import stack_resources

_ARN_PREFIX = re.compile(r"^arn:[^:]*:[^:]*:[^:]*:[^:]*:")
_ASSET_HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Resource:
    """A deployed resource."""

    path: str  # of its construct; begins with the id of the stack
    type: str
    physical_id: str  # name, ARN, or URL, as CloudFormation returns it


class DeployedResources:
    """All resources in the stacks of a sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        paths = _construct_paths(sandbox.cdk.assembly)
        self._all = [
            Resource(paths[stack, logical_id], type_, physical_id)
            for (stack, type_, logical_id), physical_id in stack_resources(sandbox).items()
            if (stack, logical_id) in paths
        ]

    def physical_id(self, path: str) -> str:
        """Return the physical id of the resource with this construct path."""
        (physical_id,) = [resource.physical_id for resource in self._all if resource.path == path]
        return physical_id

    def of_type(self, type_: str) -> list[Resource]:
        """Return all resources of this CloudFormation type."""
        return [resource for resource in self._all if resource.type == type_]

    def readable(self, arn: str) -> str:
        """Replace physical names in an ARN by construct paths, and drop partition, account, and Region."""
        text = _ARN_PREFIX.sub("", arn)
        for name, path in self._path_by_name.items():
            # A name that goes on after a hyphen is a longer one, such as a pattern of generated names.
            text = re.sub(rf"{re.escape(name)}(?!-)", path, text)
        return _ASSET_HASH.sub("<asset>", text)

    @cached_property
    def _path_by_name(self) -> Mapping[str, str]:
        """Construct paths by physical name, the longest name first, because a name can be part of another."""
        # If resources share a physical name, the shortest path wins: the resource itself, not what configures it.
        longest_path_first = sorted(self._all, key=lambda resource: len(resource.path), reverse=True)
        paths = {_ARN_PREFIX.sub("", resource.physical_id): resource.path for resource in longest_path_first}
        paths |= {name.rpartition("/")[2]: path for name, path in paths.items() if name.startswith("http")}  # queues
        return {name: paths[name] for name in sorted(paths, key=len, reverse=True) if len(name) > 8}


def _construct_paths(assembly: Path) -> dict[tuple[str, str], str]:
    """Return construct paths by stack id and logical id. Each path begins with the stack id."""
    return {
        (file.name.partition(".")[0], entry["data"]): path.strip("/").removesuffix("/Resource")
        for file in assembly.glob("*.metadata.json")
        for path, entries in json.loads(file.read_text()).items()
        for entry in entries
        if entry["type"] == "aws:cdk:logicalId"
    }
