"""Deploys to a sandbox account after it shows the account, the stacks, the settings, and the cost."""

import json
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

import boto3

from local.console import step
from local.emulator import new_log
from operations.account import Account, current_account
from operations.cdk import WORKERS, Assembly, CdkProgress, cdk_environment, run_cdk, synthesize
from operations.confirm import confirm
from operations.cost.idle import idle_cost
from operations.cost.prices import UnknownPriceError
from operations.deployed_stacks import deletions_around_deployment, deployed_templates, find_stacks
from operations.errors import OperationError
from operations.expiry import EXPIRY, ask_expires_at, cost_until, describe_expiry
from operations.preflight import check
from operations.preflight.checks import Deployment
from operations.public_address import detect_public_cidr
from operations.service_linked_roles import create_service_linked_roles
from operations.settings import (
    DETECTED_SOURCE,
    REPLACED_SOURCE,
    Choice,
    Recorded,
    check_sandbox_access,
    choose_settings,
    chooses_expiry,
    make_command,
    replaced_consumer,
)
from operations.stale_references import stale_message, stale_stacks
from stacks.support.settings import DETECTED, emulator_settings


def deploy(session: boto3.Session, given: Mapping[str, str], stacks: Collection[str], *, yes: bool) -> None:
    """Deploy stacks and their dependencies, or all stacks.

    Deploying all stacks deletes the stacks of the deployment that are no longer in the app. A change of `thumbnails_on`
    first deletes the stack `Workers`.

    Asks for the expiry of a new deployment.

    Args:
        session: Credentials and region.
        given: Settings of the command line, and `name`. The existing deployment keeps the others. Without
            `allowed_cidr`, only the public address of the caller can reach the service.
        stacks: Ids of the stacks; all if empty.
        yes: Skip the confirmation.

    Raises:
        OperationError: The user did not confirm, or the deployment is impossible or failed.
    """
    account, name = current_account(session), given["name"]
    undo = make_command("destroy", name)
    existing = find_stacks(session, name)
    # An interruption can leave stacks without resources.
    is_new = all(stack.status == "REVIEW_IN_PROGRESS" for stack in existing.values())
    if is_new and not (yes or chooses_expiry(given)):
        given = {**given, "expires_at": ask_expires_at()}
    choices, context = _settings(session, given, Recorded.read(existing))
    expires_at = context["expires_at"]
    expires = describe_expiry(expires_at)
    if expires_at and not context["alert_email"]:
        expires += f"\n  {'':13} Without alert_email, only the log of its function reports what remains."
    with tempfile.TemporaryDirectory(prefix="other-compute-") as folder:
        assembly = synthesize(Path(folder, "cdk.out"), context)
        chosen = assembly.to_deploy(stacks)
        switched = replaced_consumer(existing, assembly) if "Thumbnails" in chosen else set()
        kept = existing.keys() - switched
        removed = kept - assembly.stacks().keys()
        if stacks:
            removed &= {EXPIRY}
        check(Deployment(session, account, assembly, frozenset(chosen), name, deleted=frozenset(switched | removed)))
        print(f"\nThis will deploy to {account}, as {account.caller}:")
        for label, value in {
            "name": name,
            "new stacks": ", ".join(sorted(chosen - kept)) or "none",
            "updates": ", ".join(sorted(kept & chosen)) or "none",
            "deletes": f"\n  {'':13} ".join(_deletions(switched, removed)),
            "settings": f"\n  {'':13} ".join(map(str, choices)),
            "expires": expires,
            "cost": _cost(assembly, chosen | kept, expires_at),
            "to undo": undo,
        }.items():
            if value:
                print(f"  {label:13} {value}")
        if yes:
            _check_nothing_is_replaced(choices)
        confirm("Deploy?", yes=yes)
        for role in create_service_linked_roles(session, account, chosen):
            print(f"Created the service-linked role {role}. It is free of charge and remains after `make destroy`.")
        templates = deployed_templates(session, existing)
        with deletions_around_deployment(session, existing, templates, first=switched, removed=removed):
            _deploy(assembly, sorted(chosen), _cdk_environment(session, account), name)
        deployed = find_stacks(session, name)
        remaining = {stack.id for stack in deployed.values() if stack.status != "DELETE_IN_PROGRESS"}
        if gone := (kept - removed | chosen) - remaining:
            raise OperationError(
                f"Deleted during this deployment, for example by its former expiry: {', '.join(sorted(gone))}. The "
                "expiry above applies from now on. When no stack is in DELETE_IN_PROGRESS any longer, deploy them "
                f"again: {make_command('deploy', name)}"
            )
        if stale := stale_stacks(templates, existing, deployed):
            raise OperationError(stale_message(stale, name))
    print(f"To delete the deployment and end its cost, run: {make_command('destroy', name)}")


def _settings(
    session: boto3.Session, given: Mapping[str, str], recorded: Recorded
) -> tuple[list[Choice], dict[str, str]]:
    """Choose the settings. Return them, and the context that passes them to the app."""
    emulator = emulator_settings(session.client("cloudformation").meta.endpoint_url)
    if emulator and given.get("target") == "aws":
        raise OperationError(
            "Setting target: expected local, but received 'aws'. Packages for AWS do not run in an emulator."
        )
    choices = choose_settings(given, recorded, defaults=emulator, detect_cidr=detect_public_cidr)
    values = {choice.key: "" if choice.value is None else str(choice.value) for choice in choices}
    detected = [choice.key for choice in choices if choice.source == DETECTED_SOURCE]
    context = {**emulator, **given, **values, DETECTED: ",".join(detected)}
    if emulator:
        check_sandbox_access(context)
    return choices, context


def _deletions(switched: Collection[str], removed: Collection[str]) -> list[str]:
    workers = f"{WORKERS} first, because other compute makes thumbnails from now on; uploads wait in the queue"
    expiry = f"{EXPIRY}: the deployment remains, and costs money, until you destroy it"
    others = sorted({*removed} - {EXPIRY})
    return [
        *([workers] if switched else []),
        *([expiry] if EXPIRY in removed else []),
        *([f"{', '.join(others)} with all data, no longer in the app"] if others else []),
    ]


def _check_nothing_is_replaced(choices: Collection[Choice]) -> None:
    """Check that cdk.json does not replace a setting that was given to the deployment, while no one is asked."""
    for choice in choices:
        if choice.source == REPLACED_SOURCE:
            raise OperationError(
                f"Setting {choice.key}: the deployment has {choice.previous}, but cdk.json has {choice.value}. To "
                f"deploy without a question, choose one: {choice.key}=…"
            )


def _cost(assembly: Assembly, stacks: Collection[str], expires_at: str) -> str:
    try:
        cost = idle_cost(assembly.folder, stacks)
    except UnknownPriceError as error:
        return f"unknown: {error}"
    return str(cost) + (f"\n  {'':13} {cost_until(expires_at, cost.hourly)}" if expires_at else "")


def _deploy(assembly: Assembly, stacks: Collection[str], environment: Mapping[str, str], name: str) -> None:
    outputs = assembly.folder.with_name("outputs.json")
    log = new_log(f"deploy-{name}")
    print(f"\nDeploying. All CloudFormation events are in {log}")
    try:
        with log.open("w", encoding="utf-8") as file, step("cdk deploy") as progress:
            run_cdk(
                "deploy", *stacks, "--app", str(assembly.folder), "--require-approval=never",
                "--concurrency=4", "--outputs-file", str(outputs), environment=environment, log=file,
                on_line=CdkProgress(progress, list_stacks=True).read,
            )  # fmt: skip
    except OperationError as error:
        raise OperationError(f"{error}\nLog: {log}") from None
    print("\nDeployed:")
    for stack, values in sorted(json.loads(outputs.read_text()).items()):
        for name, value in values.items():
            if name in ("GalleryUrl", "ApiUrl", "WebsiteUrl", "OriginalsBucket"):
                print(f"  {f'{stack}.{name}':45} {value}")


def _cdk_environment(session: boto3.Session, account: Account) -> dict[str, str]:
    """Return the environment of the CDK CLI, which cannot ask for an MFA token because its output goes to the log."""
    environment = cdk_environment(**account.environment())
    credentials = session.get_credentials()
    if credentials and credentials.method == "assume-role":  # This process has asked for the token.
        frozen = credentials.get_frozen_credentials()
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
        values = (frozen.access_key, frozen.secret_key, frozen.token)
        environment |= {name: value for name, value in zip(names, values, strict=True) if value}
        for profile in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):  # The CLI would prefer it.
            environment.pop(profile, None)
    return environment
