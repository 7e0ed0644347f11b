"""The script of the Lightsail server's first start, really run: with the package manager and systemd as stand-ins,
in a folder instead of `/`, by the shell that Lightsail uses.
"""

import json
import os
import random
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from gallery import CONTENT_SECURITY_POLICY
from stacks.lightsail import _PAGE
from stacks.support.lightsail_user_data import UserDataError, user_data

STACKS = Path(__file__).parents[3] / "stacks" / "support"
# As in `lightsail_user_data.sh`: where it writes.
ROOTS = re.compile(r"^(site|nginx|units)=/", re.MULTILINE)
API_URL = "https://abc.execute-api.us-east-1.amazonaws.com/v1/"


@dataclass(frozen=True)
class Server:
    """A folder that the script took for `/`.

    calls: the commands that it gave to the package manager, to nginx and to systemd
    """

    root: Path
    status: int
    calls: list[str]

    @property
    def site(self) -> Path:
        return self.root / "var" / "www" / "gallery"

    @property
    def config(self) -> str:
        (config,) = (self.root / "etc" / "nginx" / "sites-enabled").iterdir()
        return config.read_text()


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., Server]:
    """Runs the script for a page."""

    def run(page: Path = _PAGE, apt_get: str = "exit 0") -> Server:
        root, tools, log = tmp_path / "root", tmp_path / "tools", tmp_path / "calls"
        for folder in ("etc/nginx/sites-available", "etc/nginx/sites-enabled"):  # as the package makes them
            (root / folder).mkdir(parents=True)
        (root / "etc/nginx/sites-enabled/default").write_text("server { listen 80 default_server; }")
        tools.mkdir()
        for name, does in {"apt-get": apt_get, "nginx": "exit 0", "systemctl": "exit 0", "sleep": "exit 0"}.items():
            tool = tools / name
            tool.write_text(f'#!/bin/sh\necho "{name} $*" >> "{log}"\n{does}\n')
            tool.chmod(0o755)
        script = ROOTS.sub(rf"\1={root}/", user_data(page, api_url=API_URL).script)
        # Lightsail's own lines come first, so ours is not the line that says which shell.
        process = subprocess.run(
            ["sh"], input=f"#!/bin/sh\n:\n{script}", text=True, env={"PATH": f"{tools}{os.pathsep}/usr/bin:/bin"}
        )
        calls = [call for call in log.read_text().splitlines() if not call.startswith("sleep")]
        return Server(root, process.returncode, calls)

    return run


def test_shellcheck_finds_nothing() -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")
    subprocess.run([shellcheck, "--shell=sh", STACKS / "lightsail_user_data.sh"], check=True)


def test_writes_nowhere_but_below_what_it_declares() -> None:
    template = ROOTS.sub(r"\1=", (STACKS / "lightsail_user_data.sh").read_text()).removeprefix("#!/bin/sh")
    assert re.findall(r"(?<![\w$\"])/(?:bin|etc|home|opt|root|srv|tmp|usr|var)\b", template) == []


def test_the_site_is_the_page_with_the_url_of_the_api(start: Callable[..., Server]) -> None:
    server = start()
    assert server.status == 0
    for file in (file for file in _PAGE.rglob("*") if file.is_file() and file.name != "config.json"):
        lines = file.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if not (file.suffix == ".js" and line.lstrip().startswith(b"//"))]
        assert (server.site / file.relative_to(_PAGE)).read_bytes() == b"".join(kept)
    assert json.loads((server.site / "config.json").read_text()) == {"api_url": API_URL}
    assert json.loads((server.site / "whoami").read_text()) == {"launch_type": "LIGHTSAIL", "task": None, "zone": None}


def test_everyone_may_read_the_site(start: Callable[..., Server]) -> None:
    # The web server is not root, who unpacks it.
    site = start().site
    assert all(path.stat().st_mode & 0o004 for path in site.rglob("*"))


def test_nginx_serves_the_site_instead_of_its_welcome_page(start: Callable[..., Server]) -> None:
    server = start()
    assert f"root {server.site};" in server.config
    assert "listen 80 default_server;" in server.config


def test_nginx_has_the_same_policy_for_the_page_as_the_container(start: Callable[..., Server]) -> None:
    assert f'add_header Content-Security-Policy "{CONTENT_SECURITY_POLICY}" always;' in start().config


def test_what_only_readers_of_the_template_need_is_not_sent() -> None:
    assert "\n# First start" in (STACKS / "lightsail_user_data.sh").read_text()
    assert not re.search(r"^ *# ", user_data(_PAGE, api_url=API_URL).script, re.MULTILINE)


def test_cloudformation_finds_nothing_to_fill_in(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(random.Random(1).randbytes(5_000))
    assert "${" not in user_data(tmp_path, api_url=API_URL).script


def test_starts_again_after_a_reboot(start: Callable[..., Server]) -> None:
    calls = start().calls
    assert "apt-get --quiet --yes --no-install-recommends install nginx" in calls
    assert calls[-4:] == ["nginx -t", "systemctl daemon-reload", "systemctl enable nginx", "systemctl restart nginx"]


def test_the_web_server_reaches_no_metadata(start: Callable[..., Server]) -> None:
    (setting,) = (start().root / "etc/systemd/system/nginx.service.d").iterdir()
    assert setting.read_text() == "[Service]\nIPAddressDeny=169.254.169.254\n"


def test_waits_for_the_lock_of_the_systems_own_updates(start: Callable[..., Server]) -> None:
    server = start(apt_get='[ "$(grep -c apt-get "$(dirname "$0")/../calls")" -gt 3 ]')
    assert server.status == 0
    assert len([call for call in server.calls if call.startswith("apt-get")]) == 5


def test_gives_up_when_there_are_no_packages(start: Callable[..., Server]) -> None:
    server = start(apt_get="exit 100")
    assert server.status != 0
    assert not any(call.startswith("systemctl") for call in server.calls)


def test_a_page_with_folders_and_binary_files_arrives_whole(start: Callable[..., Server], tmp_path: Path) -> None:
    page = tmp_path / "page"
    (page / "img").mkdir(parents=True)
    (page / "index.html").write_text("$HOME `id` END\nEND\n'\"\\")
    (page / "img" / "icon.png").write_bytes(random.Random(1).randbytes(2_000))
    site = start(page).site
    assert (site / "index.html").read_bytes() == (page / "index.html").read_bytes()
    assert (site / "img" / "icon.png").read_bytes() == (page / "img" / "icon.png").read_bytes()


def test_a_page_that_does_not_fit_is_refused_with_its_size(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(random.Random(1).randbytes(12_000))
    with pytest.raises(UserDataError, match=r"has 1[78]\d\d\d bytes, but only 14336 are allowed"):
        user_data(tmp_path, api_url=None)


def test_the_hash_is_of_the_content_and_not_of_the_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "index.html"
    page.write_text("a page")
    first = user_data(tmp_path, api_url=None)
    os.utime(page, (0, 0))
    monkeypatch.setattr(time, "time", lambda: 4e9)
    assert user_data(tmp_path, api_url=None) == first
    page.write_text("b page")
    assert user_data(tmp_path, api_url=None).hash != first.hash


@pytest.fixture
def url(start: Callable[..., Server], tmp_path: Path) -> Iterator[str]:
    """The site, served by the nginx of this machine with the configuration that the script wrote."""
    nginx = shutil.which("nginx")
    if nginx is None:
        pytest.skip("no nginx on this machine: its configuration was only compared")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = tmp_path / "nginx.conf"
    site = start().config.replace("listen 80", f"listen 127.0.0.1:{port}")
    places = "".join(f"{name}_temp_path {tmp_path}; " for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    config.write_text(
        f"daemon off; master_process off; pid {tmp_path}/pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; types {{ text/html html; }} {places}\n{site}}}\n"
    )
    subprocess.run([nginx, "-t", "-q", "-e", "stderr", "-c", config], check=True)
    process = subprocess.Popen([nginx, "-e", "stderr", "-c", config])
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def test_nginx_really_serves_it(url: str) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{url}/") as answer:
        assert answer.read() == (_PAGE / "index.html").read_bytes()
        assert answer.headers["Content-Type"] == "text/html"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Server"] == "nginx"
    with opener.open(f"{url}/whoami") as answer:
        assert json.loads(answer.read()) == {"launch_type": "LIGHTSAIL", "task": None, "zone": None}
        assert answer.headers["Content-Type"] == "application/json"
