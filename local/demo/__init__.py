"""The demo sends photos through every service, removes the deployment, and verifies that nothing remains."""

import time
from collections import Counter
from collections.abc import Mapping

from local.console import heading, step
from local.demo.album import create_album
from local.demo.api import delete_photo, list_photos, upload_by_form
from local.demo.consumer import fast_scaling, scale_to_zero
from local.demo.gallery import visit_gallery, visit_website
from local.demo.photo import RESULTS, delete_photos, reject_text_file, upload_photos
from local.demo.sweep import run_sweep
from local.emulator import ROOT
from local.errors import SandboxError
from local.inventory import inventory
from local.sandbox import Sandbox, running_sandbox


def run_demo(port: int | None, settings: Mapping[str, str]) -> None:
    """Run all steps with these settings of the app. Raises SandboxError at the first step that fails."""
    start = time.monotonic()
    heading("Deploying Other Compute to an emulator of AWS on this machine")
    with running_sandbox(port, settings) as sandbox:
        before = inventory(sandbox.client)
        sandbox.deploy()
        heading("Sending photos through every service")
        with fast_scaling(sandbox):
            upload_by_form(sandbox)
            list_photos(sandbox)
            visit_gallery(sandbox)
            visit_website(sandbox)
            upload_photos(sandbox)
            run_sweep(sandbox)
            create_album(sandbox)
            reject_text_file(sandbox)
            delete_photo(sandbox)
            scale_to_zero(sandbox)
            delete_photos(sandbox)
        heading("Removing everything")
        sandbox.destroy()
        _verify_removal(sandbox, before)
    seconds = time.monotonic() - start
    print(f"\nThe demo succeeded in {seconds:.0f} s. The thumbnails and the album are in {RESULTS.relative_to(ROOT)}/")


def _verify_removal(sandbox: Sandbox, before: set[str]) -> None:
    with step("verify that no resources remain") as findings:
        if remaining := inventory(sandbox.client) - before:
            raise SandboxError("These resources remain after destroy: " + ", ".join(sorted(remaining)))
        findings.append("no stack, bucket, queue, table, function, log group, role, repository, cluster, or alarm")
        bootstrap = Counter(name.partition(" ")[0] for name in before if not name.startswith("ec2 "))
        counts = ", ".join(f"{service} {count}" for service, count in sorted(bootstrap.items()))
        findings.append(f"except the resources of `cdk bootstrap` ({counts}) and the default VPC")
