"""The service into a sandbox account: what, where, for whom and at which cost is shown before."""

import json
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

import boto3

from operations.account import Account, check_bootstrapped, current_account, deployed_stacks
from operations.cdk import Assembly, cdk_environment, cdk_json_context, run_cdk, synthesize
from operations.confirm import confirm
from operations.cost import idle_cost
from operations.prices import UnknownPriceError
from operations.public_address import detect_public_cidr
from operations.service_linked_roles import create_service_linked_roles


def deploy(
    session: boto3.Session, settings: Mapping[str, str], stacks: Collection[str], *, check_ip: str, yes: bool
) -> None:
    """Deploy these stacks and what they need, or all.

    settings: beside those in cdk.json; without `allowed_cidr` the caller's own address is let in
    check_ip: a URL that answers with the caller's address
    yes: do not ask. Raises OperationError.
    """
    account = current_account(session)
    check_bootstrapped(session, account)
    given = settings.get("allowed_cidr") or cdk_json_context().get("allowed_cidr")
    allowed_cidr = given or detect_public_cidr(check_ip)
    with tempfile.TemporaryDirectory(prefix="other-compute-") as folder:
        assembly = synthesize(Path(folder, "cdk.out"), {**settings, "allowed_cidr": allowed_cidr})
        chosen = assembly.with_dependencies(set(stacks or assembly.stacks()))
        there = deployed_stacks(session, account, settings["name"]) & chosen
        print(f"\nThis will deploy into {account}, as {account.caller}:")
        for what, value in {
            "name": settings["name"],
            "new stacks": ", ".join(sorted(chosen - there)) or "none",
            "updated": ", ".join(sorted(there)) or "none",
            "reached from": f"{allowed_cidr} only" + ("" if given else ", your address"),
            "cost": _cost(assembly, chosen),
            "undo": destroy_command(settings["name"]),
        }.items():
            print(f"  {what:13} {value}")
        confirm("Deploy?", yes=yes)
        for role in create_service_linked_roles(session, account, chosen):
            print(f"Made {role}, as AWS would at the first use. It stays, and costs nothing.")
        _deploy(assembly, account, stacks, Path(folder, "outputs.json"))
    print(f"It costs until you run `{destroy_command(settings['name'])}`.")


def destroy_command(name: str) -> str:
    """What to type to have all of this `name` removed again, and of no other."""
    return "make destroy" + ("" if name == cdk_json_context()["name"] else f" name={name}")


def _cost(assembly: Assembly, stacks: Collection[str]) -> str:
    try:
        return str(idle_cost(assembly.folder, stacks))
    except UnknownPriceError as error:
        return f"not known: {error}"


def _deploy(assembly: Assembly, account: Account, stacks: Collection[str], outputs: Path) -> None:
    run_cdk(
        "deploy", *(stacks or ["--all"]), "--app", str(assembly.folder), "--require-approval=never",
        "--concurrency=4", "--outputs-file", str(outputs), environment=cdk_environment(**account.environment()),
    )  # fmt: skip
    places = {
        f"{stack}.{name}": value
        for stack, values in sorted(json.loads(outputs.read_text()).items())
        for name, value in values.items()
        if name in ("GalleryUrl", "ApiUrl", "WebsiteUrl", "OriginalsBucket")
    }
    print("\nDeployed. Where it is:" if places else "\nDeployed.")
    for name, value in places.items():
        print(f"  {name:45} {value}")
