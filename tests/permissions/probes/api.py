"""Probes of the API function, of the URLs that it signs, and of the access log."""

import json
from typing import Any

from urllib3 import BaseHTTPResponse

from photos.albums import jobs_key, pdf_key
from photos.keys import photo_id
from tests.permissions.probe import FILENAME, ProbeFailed, Trial, probe

_FILE = b"The API accepts any bytes. The thumbnail function rejects unsupported images."


@probe
def delivers_access_log(trial: Trial) -> None:
    """Deliver an entry of the access log."""
    bucket = trial.context.resources.physical_id("Api/AccessLog/Bucket")

    def count() -> int:
        return int(trial.context.s3.list_objects_v2(Bucket=bucket)["KeyCount"])

    before = count()
    _request(trial, "GET", "health", 200)
    trial.wait_until("another object in the access log bucket", lambda: count() > before)


@probe
def lists_photos(trial: Trial) -> None:
    """List the newest photos."""
    _request(trial, "GET", "photos?limit=3", 200)


@probe
def returns_photo(trial: Trial) -> None:
    """Return a photo."""
    _photo(trial)


@probe
def signs_thumbnail_url(trial: Trial) -> None:
    """Sign the URL of a thumbnail."""
    _fetch(trial, next(iter(_photo(trial)["thumbnails"].values())))


@probe
def registers_upload(trial: Trial) -> None:
    """Register an upload."""
    _register(trial)


@probe
def creates_presigned_post(trial: Trial) -> None:
    """Create a presigned POST."""
    _expect_status(trial.context.api.upload(_register(trial)["upload"], _FILE), 204)


@probe
def deletes_pending_photo(trial: Trial) -> None:
    """Delete a photo that was registered but not uploaded."""
    _request(trial, "DELETE", f"photos/{_register(trial)['photo']['id']}", 204)


@probe
def submits_album(trial: Trial) -> None:
    """Submit an album."""
    _request(trial, "POST", "albums", 202, {"title": "Permissions", "photos": [photo_id(trial.context.photo)]})


@probe
def returns_album_state(trial: Trial) -> None:
    """Return the state of an album."""
    album = trial.context.new_album()
    trial.context.put_object(jobs_key(album.id), json.dumps({"pages": "none", "bind": "none"}).encode())
    _request(trial, "GET", f"albums/{album.id}", 200)


@probe
def signs_album_url(trial: Trial) -> None:
    """Sign the URL of an album."""
    album = trial.context.new_album()
    trial.context.put_object(pdf_key(album.id), b"%PDF-")
    _fetch(trial, _request(trial, "GET", f"albums/{album.id}", 200)["url"])


def _request(trial: Trial, method: str, path: str, status: int, body: Any = None) -> Any:
    response = _expect_status(trial.context.api.request(method, path, body), status)
    return response.json() if response.data else None


def _expect_status(response: BaseHTTPResponse, status: int) -> BaseHTTPResponse:
    if response.status != status:
        raise ProbeFailed(f"status {response.status} instead of {status}: {response.data.decode()[:200]}")
    return response


def _fetch(trial: Trial, url: str) -> None:
    _expect_status(trial.context.api.fetch(url), 200)


def _photo(trial: Trial) -> Any:
    return _request(trial, "GET", f"photos/{photo_id(trial.context.photo)}", 200)


def _register(trial: Trial) -> Any:
    return _request(
        trial, "POST", "photos", 201, {"filename": FILENAME, "content_type": "image/png", "size": len(_FILE)}
    )
