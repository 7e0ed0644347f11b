"""ECS: one page, served by Fargate and by EC2 behind one load balancer."""

import json
import time
import urllib.error
import urllib.request

from local.console import step
from local.errors import SandboxError
from local.sandbox import Sandbox

_PATIENCE_SECONDS = 30


def visit_gallery(sandbox: Sandbox) -> None:
    """Visit the page until both launch types have served it. Raises SandboxError."""
    url = sandbox.outputs["Ecs"]["GalleryUrl"]
    with step("ECS: the gallery page from Fargate and from EC2, behind one load balancer") as proved:
        seen: dict[str, str] = {}
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not {"FARGATE", "EC2"} <= seen.keys():
            if time.monotonic() > deadline:
                raise SandboxError(f"{url} was served by {', '.join(seen) or 'nothing'} only.")
            try:
                served_by = json.loads(_get(f"{url}whoami"))
            except (urllib.error.URLError, ValueError):
                time.sleep(0.2)  # a task is still starting
                continue
            seen[served_by["launch_type"]] = f"task {served_by['task']} in {served_by['zone']}"
        proved.extend(f"{launch_type}: {where}" for launch_type, where in sorted(seen.items()))
        proved.append(f"{url}: a page of {len(_get(url))} bytes")


def _get(url: str) -> bytes:
    # The proxy of the user's environment has no business here.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=5) as answer:
        body: bytes = answer.read()
    return body
