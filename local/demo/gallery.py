"""Amazon ECS: Fargate and EC2 serve the gallery page behind one load balancer."""

from local.api_client import ApiClient
from local.console import step
from local.demo.catalogue import wait_until
from local.sandbox import Sandbox


def visit_gallery(sandbox: Sandbox) -> None:
    """Request the page until both launch types have served it. Raises SandboxError."""
    url = sandbox.outputs["Ecs"]["GalleryUrl"]
    client, tasks = ApiClient(url), dict[str, str]()
    with step("ECS: serve the gallery page from Fargate and from EC2, behind one load balancer") as findings:

        def both_have_served() -> bool:
            response = client.request("GET", "whoami")
            if response.status == 200:  # not while a task starts
                served_by = response.json()
                tasks[served_by["launch_type"]] = f"task {served_by['task']} in {served_by['zone']}"
            return {"FARGATE", "EC2"} <= tasks.keys()

        wait_until(sandbox, f"Fargate and EC2 have served {url}", both_have_served, stack="Ecs")
        findings.extend(f"{launch_type}: {task}" for launch_type, task in sorted(tasks.items()))
        findings.append(f"{url}: {len(client.fetch(url).data)} bytes")
