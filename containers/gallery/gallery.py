"""The gallery's web server: a static page, and what the page asks about the place it comes from.

| path | answer |
|---|---|
| `/health` | 200 while the server can answer: the load balancer asks, and replaces a task that does not |
| `/whoami` | which compute serves this: launch type, task and zone, as ECS tells its tasks |
| `/config.json` | what the page has to know: the URL of the REST API, or null |
| any other | a file in `static/` |

Configured by the environment: HOST (default 0.0.0.0), PORT (8080), API_URL. ECS sets ECS_CONTAINER_METADATA_URI_V4.

Starlette on uvicorn, because they do what takes code to do right: files with validators and ranges but no way out of
their folder, many slow readers at once, and on SIGTERM an end to listening but not to answers under way.
"""

import argparse
import functools
import json
import os
import sys
import urllib.request
from collections.abc import Awaitable, Callable
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

# Longer than the 60 seconds for which the load balancer keeps a connection: if this end closed one first, just as
# a request comes in on it, that visitor would get a 502.
_KEEP_ALIVE_SECONDS = 75

# ECS kills a task 30 seconds after it asked it to end.
_GOODBYE_SECONDS = 10

_METADATA_SECONDS = 2

# Scripts and styles are the page's own; what it calls, and the pictures it shows, come from the API's and the buckets'
# hosts. The same words are in stacks/support/lightsail_user_data.sh.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; connect-src *; img-src * blob: data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def health(request: Request) -> Response:
    """Whether to send visitors here. Asks nobody else: a fault elsewhere is no reason to replace this task."""
    return JSONResponse({"status": "ok"})


def whoami(request: Request) -> Response:
    """Which compute serves the page; all null where it is not ECS."""
    try:
        return JSONResponse(_whoami())
    except OSError:  # urllib's errors and time-outs
        error = {"code": "metadata_unavailable", "message": "ECS does not say where this runs."}
        return JSONResponse({"error": error}, status_code=503)


@functools.cache  # a task never moves
def _whoami() -> dict[str, str | None]:
    endpoint = os.environ.get("ECS_CONTAINER_METADATA_URI_V4")
    if endpoint is None:
        return {"launch_type": None, "task": None, "zone": None}
    with urllib.request.urlopen(f"{endpoint}/task", timeout=_METADATA_SECONDS) as answer:
        task = json.load(answer)
    return {
        "launch_type": task["LaunchType"],
        "task": task["TaskARN"].rpartition("/")[2],
        "zone": task.get("AvailabilityZone"),
    }


def config(request: Request) -> Response:
    """What the page has to know."""
    return JSONResponse({"api_url": os.environ.get("API_URL") or None})


async def _with_headers(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await answer(request)
    # Ask each time whether a file has changed, which is cheap; the answers of this program are for this moment.
    response.headers["Cache-Control"] = "no-cache" if "etag" in response.headers else "no-store"
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
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
    """Serve until SIGTERM. Exits with one line when the port is not a number."""
    as_written = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(prog="gallery.py", description=__doc__, formatter_class=as_written).parse_args()
    try:
        port = int(os.environ.get("PORT", "8080"))
    except ValueError:
        sys.exit(f"PORT: expected a number, but received {os.environ['PORT']!r}")
    uvicorn.run(
        app,
        host=os.environ.get("HOST", "0.0.0.0"),
        port=port,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GOODBYE_SECONDS,
    )


if __name__ == "__main__":
    main()
