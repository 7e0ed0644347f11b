"""The work of the API's function, of whoever holds a link that it signed, and of its access log."""

import json
from typing import Any

from urllib3 import BaseHTTPResponse

from photos.albums import jobs_key, pdf_key
from photos.keys import photo_id
from tests.permissions.trial import FILENAME, Failed, Trial, probe

_FILE = b"What this is, another function finds out."


@probe()
def access_logged(trial: Trial) -> None:
    """Each request is in the access log."""
    bucket = trial.bench.names.of("Api/AccessLog/Bucket")

    def files() -> int:
        return int(trial.bench.s3.list_objects_v2(Bucket=bucket)["KeyCount"])

    before = files()
    _ask(trial, "GET", "health", 200)
    trial.until("the bucket of the access log has more files", lambda: files() > before)


@probe()
def lists(trial: Trial) -> None:
    """The API lists the newest photos."""
    _ask(trial, "GET", "photos?limit=3", 200)


@probe()
def shows(trial: Trial) -> None:
    """The API shows a photo."""
    _show(trial)


@probe()
def opens_thumbnail(trial: Trial) -> None:
    """A thumbnail can be read by the link that the API gave."""
    _open(trial, _show(trial)["thumbnails"]["256"])


@probe()
def announces(trial: Trial) -> None:
    """The API takes the announcement of a photo."""
    _announce(trial)


@probe()
def sends(trial: Trial) -> None:
    """A photo can be sent by the form that the API gave."""
    _done(trial.bench.api.upload(_announce(trial)["upload"], _FILE), 204)


@probe()
def withdraws(trial: Trial) -> None:
    """The API deletes a photo that was announced and never came."""
    _ask(trial, "DELETE", f"photos/{_announce(trial)['photo']['id']}", 204)


@probe()
def orders_album(trial: Trial) -> None:
    """The API takes the order of an album."""
    _ask(trial, "POST", "albums", 202, {"title": "Privileges", "photos": [photo_id(trial.bench.photo)]})


@probe()
def follows_album(trial: Trial) -> None:
    """The API tells how far an album is."""
    album = trial.bench.new_album()
    trial.bench.put(jobs_key(album.id), json.dumps({"pages": "none", "bind": "none"}).encode())
    _ask(trial, "GET", f"albums/{album.id}", 200)


@probe()
def opens_album(trial: Trial) -> None:
    """An album can be read by the link that the API gave."""
    album = trial.bench.new_album()
    trial.bench.put(pdf_key(album.id), b"%PDF-")
    _open(trial, _ask(trial, "GET", f"albums/{album.id}", 200)["url"])


def _ask(trial: Trial, method: str, path: str, status: int, body: Any = None) -> Any:
    return _done(trial.bench.api.request(method, path, body), status)


def _done(answer: BaseHTTPResponse, status: int) -> Any:
    """What it says. Raises Failed if its status is another one."""
    if answer.status != status:
        raise Failed(f"status {answer.status}, not {status}: {answer.data.decode()[:200]}")
    return answer.json() if answer.data else None


def _open(trial: Trial, link: str) -> None:
    answer = trial.bench.api.fetch(link)
    if answer.status != 200:
        raise Failed(f"status {answer.status}, not 200: {answer.data.decode()[:200]}")


def _show(trial: Trial) -> Any:
    return _ask(trial, "GET", f"photos/{photo_id(trial.bench.photo)}", 200)


def _announce(trial: Trial) -> Any:
    body = {"filename": FILENAME, "content_type": "image/png", "size": len(_FILE)}
    return _ask(trial, "POST", "photos", 201, body)
