"""Deploys to a sandbox account after it shows the account, the stacks, the allowed addresses, and the cost."""

import json
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

import boto3

from operations.account import Account, current_account, deployed_stacks
from operations.cdk import Assembly, cdk_environment, cdk_json_context, run_cdk, synthesize
from operations.confirm import confirm
from operations.cost import idle_cost
from operations.errors import OperationError
from operations.preflight import Deployment, check
from operations.prices import UnknownPriceError
from operations.public_address import detect_public_cidr
from operations.service_linked_roles import create_service_linked_roles
from operations.stale_references import read_stacks, stale_stacks


def deploy(
    session: boto3.Session, settings: Mapping[str, str], stacks: Collection[str], *, check_ip: str, yes: bool
) -> None:
    """Deploy stacks and their dependencies, or all stacks.

    Args:
        session: Credentials and region.
        settings: Settings that override those in cdk.json, and `name`. Without `allowed_cidr`, only the public address
            of the caller can reach the service.
        stacks: Ids of the stacks; all if empty.
        check_ip: URL that returns the public address of the caller.
        yes: Skip the confirmation.

    Raises:
        OperationError: The user did not confirm, or the deployment is impossible or failed.
    """
    account = current_account(session)
    setting = settings.get("allowed_cidr") or cdk_json_context().get("allowed_cidr")
    allowed_cidr = setting or detect_public_cidr(check_ip)
    with tempfile.TemporaryDirectory(prefix="other-compute-") as folder:
        assembly = synthesize(Path(folder, "cdk.out"), {**settings, "allowed_cidr": allowed_cidr})
        chosen = assembly.with_dependencies(set(stacks or assembly.stacks()))
        check(Deployment(session, account, assembly, frozenset(chosen), settings["name"]))
        existing = deployed_stacks(session, account, settings["name"]) & chosen
        print(f"\nThis will deploy to {account}, as {account.caller}:")
        for label, value in {
            "name": settings["name"],
            "new stacks": ", ".join(sorted(chosen - existing)) or "none",
            "updates": ", ".join(sorted(existing)) or "none",
            "allowed_cidr": allowed_cidr if setting else f"{allowed_cidr} (your public address)",
            "cost": _cost(assembly, chosen),
            "to undo": destroy_command(settings["name"]),
        }.items():
            print(f"  {label:13} {value}")
        confirm("Deploy?", yes=yes)
        for role in create_service_linked_roles(session, account, chosen):
            print(f"Created the service-linked role {role}. It is free of charge and remains after `make destroy`.")
        before = read_stacks(session)
        _deploy(assembly, account, stacks, Path(folder, "outputs.json"))
        if stale := stale_stacks(assembly, settings["name"], before, read_stacks(session)):
            raise OperationError(_stale_message(stale, settings["name"]))
    print(f"To delete the deployment and end its cost, run: {destroy_command(settings['name'])}")


def destroy_command(name: str) -> str:
    """Return the command that destroys the deployment with this name."""
    return "make destroy" + ("" if name == cdk_json_context()["name"] else f" name={name}")


def _stale_message(stale: Mapping[str, Collection[str]], name: str) -> str:
    changes = "; ".join(f"{stack} uses {', '.join(sorted(used))}" for stack, used in sorted(stale.items()))
    return (
        f"This deployment replaced resources that unchanged stacks use: {changes}. CloudFormation updates such "
        "references only with the stack. Recreate these stacks and those that depend on them (photos are kept): "
        f"npx cdk destroy {' '.join(sorted(stale))} -c name={name}. Then run `make deploy` again."
    )


def _cost(assembly: Assembly, stacks: Collection[str]) -> str:
    try:
        return str(idle_cost(assembly.folder, stacks))
    except UnknownPriceError as error:
        return f"unknown: {error}"


def _deploy(assembly: Assembly, account: Account, stacks: Collection[str], outputs: Path) -> None:
    run_cdk(
        "deploy", *(stacks or ["--all"]), "--app", str(assembly.folder), "--require-approval=never",
        "--concurrency=4", "--outputs-file", str(outputs), environment=cdk_environment(**account.environment()),
    )  # fmt: skip
    print("\nDeployed:")
    for stack, values in sorted(json.loads(outputs.read_text()).items()):
        for name, value in values.items():
            if name in ("GalleryUrl", "ApiUrl", "WebsiteUrl", "OriginalsBucket"):
                print(f"  {f'{stack}.{name}':45} {value}")
