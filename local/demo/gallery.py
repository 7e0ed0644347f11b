"""Amazon ECS and Amazon Lightsail: two launch types behind a load balancer, and an instance, serve the gallery page."""

from local.api_client import ApiClient
from local.console import step
from local.demo.catalogue import wait_until
from local.errors import SandboxError
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


def visit_website(sandbox: Sandbox) -> None:
    """Request the page from the Lightsail instance. Raises SandboxError."""
    url = f"{sandbox.outputs['Lightsail']['WebsiteUrl']}/"
    client = ApiClient(url)
    with step("Lightsail: serve the same page from an instance") as findings:
        page, config, whoami = (client.request("GET", path) for path in ("", "config.json", "whoami"))
        if {page.status, config.status, whoami.status} != {200}:
            raise SandboxError(f"{url} responded with status {page.status}, {config.status}, and {whoami.status}.")
        findings.append(f"{url}: {len(page.data)} bytes, {whoami.json()['launch_type']}")
