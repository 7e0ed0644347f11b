"""The demo: photos through everything, then nothing left. Each step says which services did it, and what it proved."""

import time
from collections import Counter

from local.console import heading, step
from local.demo.album import order_album
from local.demo.api import delete_one, list_photos, upload_by_form
from local.demo.gallery import visit_gallery
from local.demo.photo import RESULTS, delete_photos, reject_text_file, upload_photos
from local.demo.sweep import run_sweep
from local.emulator import ROOT
from local.errors import SandboxError
from local.inventory import inventory
from local.sandbox import Sandbox, running_sandbox


def run_demo(port: int | None = None) -> None:
    """Run all of it. Raises SandboxError, which says what failed and why, at the first step that fails."""
    start = time.monotonic()
    heading("A sandbox on this machine")
    with running_sandbox(port) as sandbox:
        before = inventory(sandbox.client)
        sandbox.deploy()
        heading("A photo goes through it")
        upload_by_form(sandbox)
        list_photos(sandbox)
        visit_gallery(sandbox)
        upload_photos(sandbox)
        run_sweep(sandbox)
        order_album(sandbox)
        reject_text_file(sandbox)
        delete_one(sandbox)
        delete_photos(sandbox)
        heading("Nothing is left")
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
