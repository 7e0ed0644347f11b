"""A client of the REST API, as a page or a script is one: it has an address, perhaps a key, and no other right."""

from collections.abc import Mapping
from typing import Any

import urllib3

from local.emulator import HOST

_SECONDS = 30


class ApiClient:
    """Asks the API at `url`, which ends with a slash.

    key: the API key; empty: it has none
    address: of this machine, from which it asks
    """

    def __init__(self, url: str, key: str = "", *, address: str = HOST) -> None:
        self._url = url
        self._headers = {"X-Api-Key": key} if key else {}
        # No proxy of the user's environment: it has no business here.
        self._http = urllib3.PoolManager(source_address=(address, 0), timeout=_SECONDS, retries=False)

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> urllib3.BaseHTTPResponse:
        """The answer to a request, whatever its status. body: sent as JSON, bytes as they are."""
        sent = {"body": body} if isinstance(body, bytes) else {} if body is None else {"json": body}
        of_bytes = {"Content-Type": "application/json"} if isinstance(body, bytes) else {}
        return self._http.request(
            method, f"{self._url}{path}", headers={**self._headers, **of_bytes, **headers}, **sent
        )

    def upload(self, form: Mapping[str, Any], photo: bytes, **changed: str) -> urllib3.BaseHTTPResponse:
        """What S3 answers to this photo by an upload form. changed: fields that differ from the form's"""
        fields = {**form["fields"], **changed, "file": ("photo", photo, form["fields"]["Content-Type"])}
        return self._http.request("POST", form["url"], fields=fields, headers={"Origin": "http://page.example"})

    def fetch(self, link: str) -> urllib3.BaseHTTPResponse:
        """What is behind a link that the API gave."""
        return self._http.request("GET", link)
