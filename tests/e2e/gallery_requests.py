"""Requests to the gallery page."""

import urllib.request

from local.deployment import Deployment


def get_gallery(deployment: Deployment, path: str) -> bytes:
    """Return the response body from the load balancer of the gallery. Raises OSError for an error status.

    The request uses no proxy, even if the environment has one.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{deployment.outputs['Ecs']['GalleryUrl']}{path}", timeout=60) as response:
        body: bytes = response.read()
        return body
