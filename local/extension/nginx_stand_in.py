"""A stand-in for nginx, for machines without it: serves a site by the configuration file of nginx.

It supports the directives that a static site needs, and ends with one line if the file contains another one. It starts
as `python nginx_stand_in.py FILE`.

See https://nginx.org/en/docs/http/ngx_http_core_module.html
"""

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from os.path import isdir
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_TOKEN = re.compile(r"""\s+|\#[^\n]*|"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|([{};])|([^\s{};"']+)""")

# Directives that do not change what a client of the stand-in sees.
_IGNORED = re.compile(r"daemon|master_process|pid|error_log|access_log|events|server_tokens|\w+_temp_path")

# Without `always`, `add_header` applies to these only.
_SUCCESS_AND_REDIRECTION = {200, 201, 204, 206, 301, 302, 303, 304, 307, 308}


class Unsupported(Exception):
    """The stand-in does not support this configuration. Install nginx."""


@dataclass(frozen=True)
class Directive:
    """A name with arguments, and the directives in its block."""

    name: str
    arguments: tuple[str, ...]
    block: tuple["Directive", ...]


@dataclass(frozen=True)
class Site:
    """How to respond to requests.

    Attributes:
        types: Media types by the extension of the file, without a dot.
        default_type: The media type of other files.
        headers: Name, value, and whether the header is part of error responses, too.
        locations: Sites for requests of exactly these paths.
    """

    address: tuple[str, int]
    root: str
    types: dict[str, str]
    default_type: str
    headers: tuple[tuple[str, str, bool], ...]
    locations: dict[str, "Site"]


def parse(text: str) -> tuple[Directive, ...]:
    """Parse a configuration file. Included directives replace `include`. Raises Unsupported."""
    return tuple(_block(_tokens(text), is_file=True))


def _tokens(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each token, and whether it is punctuation."""
    for match in _TOKEN.finditer(text):
        if match.lastindex:
            token = match[match.lastindex]
            yield re.sub(r"\\(.)", r"\1", token) if match.lastindex < 3 else token, match.lastindex == 3


def _block(tokens: Iterator[tuple[str, bool]], *, is_file: bool = False) -> Iterator[Directive]:
    words: list[str] = []
    for token, is_punctuation in tokens:
        if not is_punctuation:
            words.append(token)
        elif token == "}" and not words and not is_file:
            return
        elif token == "}" or not words:
            raise Unsupported(f"unexpected {token} after {' '.join(words) or 'the last directive'}")
        else:
            block = tuple(_block(tokens)) if token == "{" else ()
            directive = Directive(words[0], tuple(words[1:]), block)
            yield from _included(directive) if directive.name == "include" else [directive]
            words = []
    if words or not is_file:
        raise Unsupported("unexpected end of file")


def _included(directive: Directive) -> Iterator[Directive]:
    (pattern,) = map(Path, directive.arguments)
    for file in sorted(pattern.parent.glob(pattern.name)):
        yield from parse(file.read_text())


def read(config: Path) -> Site:
    """Read the site of a configuration file. Raises Unsupported."""
    (http,) = (it for it in parse(config.read_text()) if it.name == "http")
    if [it.name for it in http.block].count("server") != 1:
        raise Unsupported("exactly one server is supported")
    return _apply(http, Site(("", 80), "", {}, "text/plain", (), {}))


def _apply(parent: Directive, site: Site) -> Site:
    """Change a site by the directives in a block. A block inherits headers unless it adds some."""
    headers: list[tuple[str, str, bool]] = []
    nested: list[Directive] = []
    for directive in parent.block:
        match directive.name, directive.arguments:
            case "listen", (address, *_):
                host, _, port = address.rpartition(":")
                site = replace(site, address=(host, int(port)))
            case "root", (root,):
                site = replace(site, root=root)
            case "types", ():
                site = replace(site, types={end: it.name for it in directive.block for end in it.arguments})
            case "default_type", (default_type,):
                site = replace(site, default_type=default_type)
            case "add_header", (name, value, *always):
                headers.append((name, value, always == ["always"]))
            case ("server", ()) | ("location", ("=", _)):
                nested.append(directive)
            case name, _ if not _IGNORED.fullmatch(name):
                raise Unsupported(f"{name} {' '.join(directive.arguments)}")
    site = replace(site, headers=tuple(headers) or site.headers)
    for directive in nested:
        if directive.name == "server":
            site = _apply(directive, site)
        else:
            site = replace(site, locations={**site.locations, directive.arguments[1]: _apply(directive, site)})
    return site


class _Files(StaticFiles):
    async def get_response(self, path: str, scope: Scope) -> Response:
        if scope["path"].endswith("/"):
            path += "/index.html"
        elif isdir(f"{self.directory}/{path}"):
            return RedirectResponse(f"{scope['path']}/", 301, {"Content-Type": "text/html"})
        return await super().get_response(path, scope)


def application(site: Site) -> ASGIApp:
    """Return the application that serves a site."""
    files = Starlette(routes=[Mount("/", _Files(directory=site.root))])

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        location = site.locations.get(scope.get("path", ""), site)

        async def send_as_nginx(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers, status = MutableHeaders(raw=message["headers"]), message["status"]
                headers["Server"] = "nginx"
                if "Content-Type" in headers:
                    headers["Content-Type"] = _media_type(scope["path"], location) if status < 300 else "text/html"
                for name, value, always in location.headers:
                    if always or status in _SUCCESS_AND_REDIRECTION:
                        headers.append(name, value)
            await send(message)

        await files(scope, receive, send_as_nginx)

    return serve


def _media_type(path: str, site: Site) -> str:
    file = path + "index.html" if path.endswith("/") else path
    return site.types.get(Path(file).suffix.removeprefix("."), site.default_type)


def main() -> None:
    """Serve a website until SIGTERM. Exit with one line if a directive is not supported."""
    parser = argparse.ArgumentParser(prog="python -m local.extension.nginx_stand_in", description=main.__doc__)
    parser.add_argument("configuration", type=Path, help="file with the configuration of nginx")
    try:
        site = read(parser.parse_args().configuration)
    except Unsupported as error:
        sys.exit(f"Without nginx, the sandbox does not support this configuration: {error}. Install nginx.")
    host, port = site.address
    uvicorn.run(application(site), host=host, port=port, server_header=False, log_level="error")


if __name__ == "__main__":
    main()
