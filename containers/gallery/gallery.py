"""The web server of the gallery: static files, and information about the compute that serves them.

| path | response |
|---|---|
| `/health` | 200 while the server can respond. ECS replaces a task that fails this health check |
| `/whoami` | the compute that serves the gallery page: launch type, task, and zone from the ECS task metadata |
| `/config.json` | configuration of the gallery page: the URL of the REST API, or null |
| any other | a file in `static/` |

Environment variables: HOST (default 0.0.0.0), PORT (default 8080), and the URLs that the page requests: API_URL,
ORIGINALS_URL, THUMBNAILS_URL. ECS sets ECS_CONTAINER_METADATA_URI_V4.

The server is Starlette on uvicorn, which handle static files (ETags, range requests, path traversal), many slow clients
at the same time, and a graceful shutdown on SIGTERM.
"""

import argparse
import functools
import json
import os
import sys
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

_STATIC = Path(__file__).parent / "static"

# Longer than the idle timeout of the load balancer, 60 seconds. If the server closed a connection while a request
# arrives, the client would receive a 502.
_KEEP_ALIVE_SECONDS = 75

# ECS sends SIGKILL 30 seconds after SIGTERM.
_SHUTDOWN_SECONDS = 10

_METADATA_SECONDS = 2


def content_security_policy(environment: Mapping[str, str]) -> str:
    """Return a policy that allows scripts of this server, and requests to this server, the API, and the buckets.

    `stacks/support/lightsail_user_data.sh` sets the same policy.
    """
    api, originals, thumbnails = (
        f" {environment[name]}" if environment.get(name) else ""
        for name in ("API_URL", "ORIGINALS_URL", "THUMBNAILS_URL")
    )
    return (
        f"default-src 'self'; connect-src 'self'{api}{originals}; img-src 'self' blob: data:{thumbnails}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


_CONTENT_SECURITY_POLICY = content_security_policy(os.environ)


def health(request: Request) -> Response:
    """Report that the server is healthy. It checks no dependencies, because a new task would not fix their failures."""
    return JSONResponse({"status": "ok"})


def whoami(request: Request) -> Response:
    """Return the compute that serves the page. All values are null outside ECS."""
    try:
        return JSONResponse(_whoami())
    except OSError:  # errors and timeouts of urllib
        error = {"code": "metadata_unavailable", "message": "The ECS task metadata is not available."}
        return JSONResponse({"error": error}, status_code=503)


@functools.cache  # constant for a task
def _whoami() -> dict[str, str | None]:
    endpoint = os.environ.get("ECS_CONTAINER_METADATA_URI_V4")
    if endpoint is None:
        return {"launch_type": None, "task": None, "zone": None}
    with urllib.request.urlopen(f"{endpoint}/task", timeout=_METADATA_SECONDS) as response:
        task = json.load(response)
    return {
        "launch_type": task["LaunchType"],
        "task": task["TaskARN"].rpartition("/")[2],
        "zone": task.get("AvailabilityZone"),
    }


def config(request: Request) -> Response:
    """Return the configuration of the gallery page."""
    return JSONResponse({"api_url": os.environ.get("API_URL") or None})


async def _with_headers(request: Request, respond: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await respond(request)
    # Browsers revalidate files, which is cheap, and do not store dynamic responses.
    response.headers["Cache-Control"] = "no-cache" if "etag" in response.headers else "no-store"
    response.headers["Content-Security-Policy"] = _CONTENT_SECURITY_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


app = Starlette(
    routes=[
        Route("/health", health),
        Route("/whoami", whoami),
        Route("/config.json", config),
        Mount("/", StaticFiles(directory=_STATIC, html=True)),
    ],
    middleware=[Middleware(BaseHTTPMiddleware, dispatch=_with_headers)],
)


def main() -> None:
    """Serve until SIGTERM. Exits with one line if the port is not a number."""
    formatter = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(prog="gallery.py", description=__doc__, formatter_class=formatter).parse_args()
    try:
        port = int(os.environ.get("PORT", "8080"))
        if not 1 <= port < 2**16:
            raise ValueError
    except ValueError:
        sys.exit(f"PORT: expected 1 to 65535, but received {os.environ['PORT']!r}")
    uvicorn.run(
        app,
        host=os.environ.get("HOST", "0.0.0.0"),
        port=port,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )


if __name__ == "__main__":
    main()
