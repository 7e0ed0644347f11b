"""Websites of Lightsail instances: nginx and its stand-in serve the site that the user data configures."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from local.emulator import ROOT
from local.extension import lightsail, nginx_stand_in
from local.extension.lightsail import Website, boot, find_nginx
from local.ports import HOST
from stacks.lightsail import _GALLERY_PAGE
from stacks.support.lightsail_user_data import render_user_data
from stacks.support.shared_resources import GalleryUrls
from tests.processes import running_processes

_URLS = GalleryUrls("http://127.0.0.1:4566/api/", "https://originals.example", "https://thumbnails.example")
_USER_DATA = render_user_data(_GALLERY_PAGE, urls=_URLS).script
_FILES = [file.relative_to(_GALLERY_PAGE).as_posix() for file in _GALLERY_PAGE.rglob("*") if file.is_file()]

# Headers whose values clients of both servers see alike.
_HEADERS = (
    "Cache-Control",
    "Content-Security-Policy",
    "Content-Type",
    "Referrer-Policy",
    "Server",
    "X-Content-Type-Options",
)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GATEWAY_PORT", "1")  # no program calls the emulator
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def stand_in() -> Iterator[Website]:
    """The stand-in serves the gallery page."""
    website = boot(_USER_DATA, None)
    yield website
    website.stop()


@pytest.fixture
def nginx() -> Iterator[Website]:
    """nginx of this machine serves the gallery page."""
    if (program := find_nginx()) is None:
        pytest.skip("nginx is not installed")
    website = boot(_USER_DATA, program)
    yield website
    website.stop()


def _get(website: Website, path: str, method: str = "GET", **headers: str) -> urllib3.BaseHTTPResponse:
    return urllib3.request(method, f"http://{website.address}/{path}", headers=headers, retries=False, timeout=60)


def test_stand_in_serves_the_files_that_the_script_unpacked(stand_in: Website) -> None:
    for file in _FILES:
        content = (stand_in.root / "var/www/gallery" / file).read_bytes()
        assert _get(stand_in, file).data == content
        assert (ROOT / "containers/gallery/static" / file).read_bytes().startswith(content[:10]) or file.endswith(".js")
    assert json.loads(_get(stand_in, "config.json").data) == {"api_url": _URLS.api}
    whoami = _get(stand_in, "whoami")
    assert whoami.json()["launch_type"] == "LIGHTSAIL"
    assert whoami.headers["Content-Type"] == "application/json"
    assert _URLS.thumbnails in whoami.headers["Content-Security-Policy"]


def test_stand_in_responds_like_nginx(stand_in: Website, nginx: Website) -> None:
    for server in (nginx, stand_in):
        (server.root / "var/www/gallery/folder").mkdir()
        for file in ("404.html", "folder/index.html"):
            (server.root / "var/www/gallery" / file).write_text(file)
    missing = ("missing", "missing/", "missing.html", "gallery.js/")
    for path in ("", "whoami", "config.json", "404.html", "folder", "folder/", *missing, *_FILES):
        for method in ("GET", "HEAD") if path else ("GET", "HEAD", "POST"):
            theirs, ours = _get(nginx, path, method), _get(stand_in, path, method)
            assert (theirs.status, path, method) == (ours.status, path, method)
            expected = {header: theirs.headers.get(header) for header in _HEADERS}
            assert {header: ours.headers.get(header) for header in _HEADERS} == expected
            assert theirs.status != 200 or theirs.data == ours.data
    for server in (nginx, stand_in):
        etag = _get(server, "").headers["ETag"]
        assert _get(server, "", **{"If-None-Match": etag}).status == 304


@pytest.mark.parametrize("server", ["stand_in", "nginx"])
def test_website_ends_with_its_files_and_its_process(server: str, request: pytest.FixtureRequest) -> None:
    website: Website = request.getfixturevalue(server)
    website.stop()
    assert not website.root.exists()
    assert website.process.process_id not in {process.id for process in running_processes()}
    with pytest.raises(urllib3.exceptions.HTTPError):
        _get(website, "")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("systemctl restart nginx", "true"), "does not start nginx"),
        (("nginx -t\n", "echo something is wrong >&2; exit 3\n"), "status 3: something is wrong"),
        (("listen 80", "listen 8080"), "listen on 8080"),
        (("server_tokens off;", "autoindex on;"), "autoindex on"),
        (("server_tokens off;", "}"), "unexpected }"),
        (("server_tokens off;", "{"), "unexpected {"),
        (("server_tokens off;", "server_tokens {"), "unexpected end"),
    ],
)
def test_failure_is_reported_and_leaves_nothing_behind(change: tuple[str, str], reason: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=reason):
        boot(_USER_DATA.replace(*change), None)
    assert list(tmp_path.iterdir()) == []


def test_script_that_does_not_end_is_stopped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lightsail, "_USER_DATA_TIMEOUT_SECONDS", 1)
    with pytest.raises(ValueError, match="did not end within 1 s"):
        boot("exec sleep 600", None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder", ["/etc", "'/var/lib'", '"/opt"', "$(echo /srv)", "/root", "/home"])
def test_script_writes_to_a_folder_instead_of_the_machine(folder: str, tmp_path: Path) -> None:
    name = f"lightsail-test-{tmp_path.name}"
    script = f"mkdir -p {folder} && touch {folder}/{name}\n"
    website = boot(script + _USER_DATA, None)
    try:
        assert [file.name for file in website.root.rglob(name)] == [name]
    finally:
        website.stop()


def test_configuration_with_quotes_comments_and_nested_headers_is_read(tmp_path: Path) -> None:
    (tmp_path / "site").write_text(
        f"server {{ # a comment; with {{ punctuation\n  listen {HOST}:81; root '/a folder';\n"
        '  add_header A "one; \\"two\\"" always; location = /x { add_header B three; default_type a/b; } }'
    )
    (tmp_path / "nginx.conf").write_text(f"events {{}} http {{ types {{ c/d e f; }} include {tmp_path}/si*; }}")
    site = nginx_stand_in.read(tmp_path / "nginx.conf")
    assert (site.address, site.root, site.types) == ((HOST, 81), "/a folder", {"e": "c/d", "f": "c/d"})
    assert site.headers == (("A", 'one; "two"', True),)
    assert site.locations["/x"].headers == (("B", "three", False),)
    assert site.locations["/x"].default_type == "a/b"
