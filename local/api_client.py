"""HTTP client for the REST API of a deployment."""

from collections.abc import Mapping
from typing import Any

import urllib3

from local.ports import HOST

_TIMEOUT_SECONDS = 30


class ApiClient:
    """A client without AWS credentials, like the gallery page."""

    def __init__(self, url: str, key: str = "", *, address: str = HOST) -> None:
        """Create a client that ignores the proxies of the environment.

        Args:
            url: The URL of the API, with a trailing slash.
            key: The API key, or an empty string for none.
            address: The source address, one of this machine.
        """
        self._url = url
        self._headers = {"X-Api-Key": key} if key else {}
        self._http = urllib3.PoolManager(source_address=(address, 0), timeout=_TIMEOUT_SECONDS, retries=False)

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> urllib3.BaseHTTPResponse:
        """Send a request and return the response, also an error. A body is a JSON value, or bytes to send unchanged."""
        headers = self._headers | headers
        if isinstance(body, bytes):
            headers = {"Content-Type": "application/json"} | headers
            return self._http.request(method, f"{self._url}{path}", body=body, headers=headers)
        return self._http.request(method, f"{self._url}{path}", json=body, headers=headers)

    def upload(self, form: Mapping[str, Any], photo: bytes, **changes: str) -> urllib3.BaseHTTPResponse:
        """Upload a photo with a presigned POST form and return the response. `changes` replace fields of the form."""
        fields = {**form["fields"], **changes, "file": ("photo", photo, form["fields"]["Content-Type"])}
        return self._http.request("POST", form["url"], fields=fields, headers={"Origin": "http://page.example"})

    def fetch(self, url: str) -> urllib3.BaseHTTPResponse:
        """Return the response to a presigned URL."""
        return self._http.request("GET", url)
