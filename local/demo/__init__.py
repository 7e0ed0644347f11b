"""The demo: photos through everything, then nothing left. Each step says which services did it, and what it proved."""

import time
from collections import Counter

from local.console import headline, step
from local.demo.album import order_album
from local.demo.api import delete_one, list_photos, upload_by_form
from local.demo.gallery import visit
from local.demo.photo import RESULTS, delete, refuse, upload
from local.demo.sweep import sweep
from local.emulator import ROOT
from local.errors import SandboxError
from local.inventory import inventory
from local.sandbox import Sandbox, running_sandbox


def run_demo(port: int | None = None) -> None:
    """Run all of it. Raises SandboxError, which says what failed and why, at the first step that fails."""
    start = time.monotonic()
    headline("A sandbox on this machine")
    with running_sandbox(port) as sandbox:
        before = inventory(sandbox.client)
        sandbox.deploy()
        headline("A photo goes through it")
        upload_by_form(sandbox)
        list_photos(sandbox)
        visit(sandbox)
        upload(sandbox)
        sweep(sandbox)
        order_album(sandbox)
        refuse(sandbox)
        delete_one(sandbox)
        delete(sandbox)
        headline("Nothing is left")
        sandbox.destroy()
        _nothing_left(sandbox, before)
    seconds = time.monotonic() - start
    print(f"\nAll of it worked, in {seconds:.0f} s. Thumbnails and album are in {RESULTS.relative_to(ROOT)}/")


def _nothing_left(sandbox: Sandbox, before: set[str]) -> None:
    with step("look for what is left") as proved:
        left = inventory(sandbox.client) - before
        if left:
            raise SandboxError("Left after destroy: " + ", ".join(sorted(left)))
        network = {name for name in before if name.startswith("ec2 ")}
        proved.append(
            "no stack, bucket, queue, table, function, log group, role, repository, cluster, network or alarm"
        )
        bootstrap = Counter(name.partition(" ")[0] for name in before - network)
        proved.append(
            "but the account's default network, and what the CDK made at bootstrap: "
            + ", ".join(f"{service} {count}" for service, count in sorted(bootstrap.items()))
        )
