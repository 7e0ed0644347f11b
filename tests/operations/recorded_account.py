"""An account whose stacks are only recorded: what `make deploy` and an edit in the sandbox delete and deploy."""

import json
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from operations import deploy as deploy_module
from operations import deployed_stacks
from operations.account import Account
from operations.cdk import Assembly
from operations.deployed_stacks import DeployedStack
from operations.errors import OperationError
from operations.preflight.checks import Deployment
from stacks.support.settings import recorded_settings

_DEPENDENCIES = {
    "Network": [],
    "Thumbnails": [],
    "Cron": ["Thumbnails"],
    "Ecs": ["Network", "Thumbnails"],
    "Workers": ["Ecs"],
}


class RecordedAccount:
    """An account whose stacks are only recorded.

    Attributes:
        log: What `make deploy` did, in order.
        deleted: The stacks that preflight expects to be deleted.
        fails: The stack that cannot be deployed.
        changes: The edits of templates by stack. Each of them replaces the resource whose id is the output `Id`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stacks: dict[str, DeployedStack] = {}
        self.log: list[str] = []
        self.deleted: Collection[str] = ()
        self.fails = ""
        self.changes: dict[str, str] = {}
        self.dependencies: dict[str, list[str]] = {**_DEPENDENCIES}
        self.templates: dict[str, Any] = {}

    def synthesize(self, _folder: Path, settings: Mapping[str, str]) -> Assembly:
        self.settings = settings
        workers = settings["thumbnails_on"] in ("fargate", "ec2")
        stacks = {stack: it for stack, it in self.dependencies.items() if workers or stack != "Workers"}
        if settings.get("expires_at"):
            stacks = {"Expiry": [], **{stack: [*it, "Expiry"] for stack, it in stacks.items()}}
        artifacts = {
            stack: {
                "type": "aws:cloudformation:stack",
                "properties": {"templateFile": f"{stack}.json"},
                "dependencies": dependencies,
            }
            for stack, dependencies in stacks.items()
        }
        (self.folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
        for stack, producers in stacks.items():
            uses = [
                {"Fn::GetStackOutput": {"StackName": f"a-{producer}", "OutputName": "Id"}}
                for producer in producers
                if producer != "Expiry"
            ]
            outputs = {"Settings": {"Value": recorded_settings(settings)}} if stack == "Thumbnails" else {}
            template = {"Resources": {}, "Outputs": outputs, "Metadata": [self.changes.get(stack), *uses]}
            (self.folder / f"{stack}.json").write_text(json.dumps(template))
        return Assembly(self.folder)

    def check(self, deployment: Deployment) -> None:
        self.deleted = deployment.deleted

    def delete_stacks(self, _session: boto3.Session, stacks: Mapping[str, DeployedStack]) -> None:
        self.log += [f"delete {stack}" for stack in sorted(stacks)]
        for stack in stacks:
            del self.stacks[stack]

    def run_cdk(
        self, *arguments: str, environment: Mapping[str, str], on_line: Callable[[str], None], **_: Any
    ) -> None:
        self.environment = environment
        order = ["Expiry", *self.dependencies]
        for stack in [stack for stack in order if stack in arguments]:
            on_line(f"{stack} (a-{stack}): deploying... [1/6]")
            if stack == self.fails:
                on_line(f"❌  {stack} (a-{stack}) failed: it is broken")
                raise OperationError(f"{stack} failed")
            outputs = {"Id": self.changes.get(stack, "old")}
            if stack == "Thumbnails":
                outputs["Settings"] = recorded_settings(self.settings)
            if stack == "Expiry":
                outputs["ExpiresAt"] = self.settings["expires_at"]
            self.templates[stack] = Assembly(self.folder).templates()[stack]
            now = datetime.now(UTC)
            self.stacks[stack] = DeployedStack(stack, f"a-{stack}", f"arn:{stack}", "CREATE_COMPLETE", now, outputs, [])
            self.log.append(f"deploy {stack}")
            on_line(f"✅  {stack} (a-{stack})")
        Path(arguments[arguments.index("--outputs-file") + 1]).write_text("{}")


def recorded_account(monkeypatch: pytest.MonkeyPatch, folder: Path) -> RecordedAccount:
    """Return the account in which `make deploy` deploys from now on."""
    account = RecordedAccount(folder)
    for name, replacement in {
        "new_log": lambda name: folder / f"{name}.log",
        "current_account": lambda _: Account("123456789012", "us-east-1", "anna"),
        "find_stacks": lambda *_: dict(account.stacks),
        "deployed_templates": lambda _, stacks: {stack: account.templates.get(stack) for stack in stacks},
        "create_service_linked_roles": lambda *_: [],
        "detect_public_cidr": lambda: "9.9.9.9/32",
        **{name: getattr(account, name) for name in ("synthesize", "check", "run_cdk")},
    }.items():
        monkeypatch.setattr(deploy_module, name, replacement)
    monkeypatch.setattr(deployed_stacks, "delete_stacks", account.delete_stacks)
    return account
