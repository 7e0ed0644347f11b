"""Amazon Lightsail, which the emulator lacks: an instance runs its user data and serves its website.

Emulated: what CloudFormation checks (names are unique, a new name creates a new instance, a static IP attaches only to
an existing instance and does not move while it is attached; AWS does not document whether it would); the user data; the
website on port 80, by nginx of this machine or by `nginx_stand_in.py`, both with the configuration that the user data
writes; the lists of instances and static IPs. Not emulated: the operating system, its packages, and the firewall. The
script runs as a process of the user, in a folder instead of `/`, and the address is 127.0.0.1 with a free port instead
of port 80. Unlike AWS, the creation waits for the user data and fails with it.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ministack.app
from ministack.core import responses, router

from local.extension.cloudformation import Properties, register
from local.extension.container_images import Image
from local.extension.container_processes import Process
from local.extension.dockerfile import Dockerfile
from local.ports import HOST, free_port

_API = "Lightsail_20161128"  # prefix of the header X-Amz-Target

# The address of an instance without a website. It is reserved for documentation (RFC 5737): it belongs to no one.
_NO_WEBSITE = "203.0.113.80"

# Long enough for a busy machine.
_USER_DATA_TIMEOUT_SECONDS = 60
_START_TIMEOUT_SECONDS = 30
_STOP_TIMEOUT_SECONDS = 5

# Folders of an operating system that a script may write to.
_SYSTEM_FOLDER = re.compile(r"(?<![\w.$}/-])/(?=(?:etc|home|opt|root|srv|var)\b)")
_LISTEN = re.compile(r"\blisten\s+([^\s;]+)")

# What replaces the main configuration of the package. The site, which counts, is that of the script.
_NGINX_CONF = """daemon off;
master_process off;
pid {root}/nginx.pid;
error_log stderr crit;
events {{}}
http {{
    access_log off;
    client_body_temp_path {root}/tmp;
    proxy_temp_path {root}/tmp;
    fastcgi_temp_path {root}/tmp;
    uwsgi_temp_path {root}/tmp;
    scgi_temp_path {root}/tmp;
    types {{
        text/html html; text/css css; text/plain txt; application/javascript js; application/json json;
        image/svg+xml svg; image/png png; image/jpeg jpg jpeg; image/webp webp; image/x-icon ico; font/woff2 woff2;
    }}
    default_type application/octet-stream;
    include {root}/etc/nginx/sites-enabled/*;
}}
"""


@dataclass(frozen=True)
class Website:
    """A running web server.

    Attributes:
        root: The folder that the instance uses as `/`.
        address: Host and port.
    """

    root: Path
    address: str
    process: Process

    def stop(self) -> None:
        """Stop the web server and remove its files."""
        self.process.stop(_STOP_TIMEOUT_SECONDS)
        shutil.rmtree(self.root, ignore_errors=True)


# By name.
_instances: dict[str, Website | None] = {}
_static_ips: dict[str, str | None] = {}  # the instance of each


def extend() -> None:
    """Register both resource types, and the operations that list them."""
    router.SERVICE_PATTERNS["lightsail"] = {"target_prefixes": [_API], "credential_scope": "lightsail"}
    ministack.app.SERVICE_HANDLERS["lightsail"] = _list
    register(
        "AWS::Lightsail::Instance",
        create=_create_instance,
        update=lambda name, props: {},
        delete=lambda name, props: _delete_instance(name),
        replaced_by=["InstanceName", "BlueprintId", "BundleId", "AvailabilityZone"],
    )
    register(
        "AWS::Lightsail::StaticIp",
        create=_create_static_ip,
        update=_attach,
        delete=lambda name, props: _static_ips.pop(name, None),
        replaced_by=["StaticIpName"],
    )


async def _list(_method: str, _path: str, headers: dict[str, str], *_request: Any) -> Any:
    lists: dict[str, tuple[str, Iterable[str]]] = {
        "GetInstances": ("instances", _instances),
        "GetStaticIps": ("staticIps", _static_ips),
    }
    operation = headers["x-amz-target"].removeprefix(f"{_API}.")
    if operation not in lists:
        return responses.error_response_json("InvalidInputException", f"{operation} is not emulated", 400)
    field, names = lists[operation]
    return responses.json_response({field: [{"name": name} for name in names]})


def _create_instance(_name: str, props: Properties) -> tuple[str, Properties]:
    name = _unused(props["InstanceName"], _instances)
    _instances[name] = boot(props["UserData"], find_nginx()) if props.get("UserData") else None
    return name, {}


def _delete_instance(name: str) -> None:
    if website := _instances.pop(name, None):
        website.stop()


def _create_static_ip(_name: str, props: Properties) -> tuple[str, Properties]:
    name = _unused(props["StaticIpName"], _static_ips)
    return name, _attach(name, props)


def _unused(name: str, names: Container[str]) -> str:
    if name in names:
        raise ValueError(f"Some names are already in use: {name}")
    return name


def _attach(name: str, props: Properties) -> Properties:
    instance, current = props.get("AttachedTo"), _static_ips.get(name)
    if instance is not None and instance not in _instances:
        raise ValueError(f"The Instance does not exist: {instance}")
    if current in _instances and instance not in (None, current):
        raise ValueError(f"The static IP {name} is attached to {current}")
    _static_ips[name] = instance
    website = _instances.get(instance or "")
    return {"IpAddress": website.address if website else _NO_WEBSITE}


def boot(user_data: str, nginx: str | None) -> Website:
    """Run the user data of an instance, and start the web server that it configures.

    Args:
        user_data: A shell script that configures and starts nginx.
        nginx: The program, or None for the stand-in.

    Raises:
        ValueError: The script or the web server fails, or the configuration is not emulated.
    """
    root = Path(tempfile.mkdtemp(prefix="lightsail-"))
    try:
        _run_user_data(user_data, root)
        port = free_port()
        _listen(root, port)
        return Website(root, f"{HOST}:{port}", _serve(root, port, nginx))
    except BaseException:
        shutil.rmtree(root, ignore_errors=True)
        raise


def _run_user_data(user_data: str, root: Path) -> None:
    nginx, programs, calls, log = root / "etc/nginx", root / "programs", root / "systemctl", root / "user-data.log"
    for folder in (nginx / "sites-available", nginx / "sites-enabled", root / "etc/systemd/system", root / "tmp"):
        folder.mkdir(parents=True)
    (nginx / "nginx.conf").write_text(_NGINX_CONF.format(root=root))
    (nginx / "sites-enabled/default").write_text("server { listen 80 default_server; }\n")
    programs.mkdir()
    stubs = {
        "apt-get": "",
        "nginx": "",  # it would check the configuration of this machine
        "systemctl": f'echo "$*" >> "{calls}"',
        "python3": f'exec "{sys.executable}" "$@"',
    }
    for name, command in stubs.items():
        (programs / name).write_text(f"#!/bin/sh\n{command}\n")
        (programs / name).chmod(0o700)
    with log.open("w") as output:  # a pipe would stay open in processes that the script leaves behind
        try:
            status = subprocess.run(
                ["sh"],
                input=_SYSTEM_FOLDER.sub(lambda _: f"{root}/", user_data),
                text=True,
                cwd=root,
                env={"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "HOME": str(root)},
                stdout=output,
                stderr=output,
                timeout=_USER_DATA_TIMEOUT_SECONDS,
            ).returncode
        except subprocess.TimeoutExpired:
            raise ValueError(f"The user data did not end within {_USER_DATA_TIMEOUT_SECONDS} s") from None
    if status != 0:
        raise ValueError(f"The user data ended with status {status}: {log.read_text()[-300:].strip()}")
    if not calls.exists() or not {"start nginx", "restart nginx"} & set(calls.read_text().splitlines()):
        raise ValueError("The user data does not start nginx, the only web server that is emulated")


def _listen(root: Path, port: int) -> None:
    """Let the sites listen on a port of 127.0.0.1 instead of port 80 of all addresses."""
    for site in (root / "etc/nginx/sites-enabled").iterdir():
        config = site.read_text()
        if other := set(_LISTEN.findall(config)) - {"80"}:
            raise ValueError(f"The user data lets nginx listen on {', '.join(other)}. Only port 80 is emulated")
        site.write_text(_LISTEN.sub(f"listen {HOST}:{port}", config))


def find_nginx() -> str | None:
    """Return the path of nginx, or None if it is not installed or older than 1.19.5, which introduced the option -e."""
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    if nginx and subprocess.run([nginx, "-e", "stderr", "-v"], capture_output=True).returncode == 0:
        return nginx
    return None


def _serve(root: Path, port: int, nginx: str | None) -> Process:
    config = str(root / "etc/nginx/nginx.conf")
    if nginx:
        # As root, nginx gives its folders to another user by default, who does not exist in a user namespace.
        same_user = ["-g", "user root;"] if os.geteuid() == 0 else []
        command = [nginx, "-e", "stderr", *same_user, "-c", config]
    else:
        command = ["python", str(Path(__file__).with_name("nginx_stand_in.py")), config]
    process = Process(Image(root, Dockerfile({}, tuple(command), ())), environment={}, role_arn=None)
    try:
        process.wait_for_port(port, _START_TIMEOUT_SECONDS)
    except TimeoutError as error:
        process.stop(timeout=0)
        raise ValueError(f"nginx: {error}") from None
    if not process.running:
        raise ValueError(f"nginx ended with status {process.wait()}: {process.last_line}")
    return process
