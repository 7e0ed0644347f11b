"""API Gateway and Lambda: a photo is announced, sent by a form, listed and deleted, as a page does it."""

from typing import Any

from urllib3 import BaseHTTPResponse

from local.api_client import ApiClient
from local.console import step
from local.demo.catalogue import wait_until
from local.demo.photo import PHOTO, keep_and_look_at
from local.errors import SandboxError
from local.sandbox import Sandbox


def client(sandbox: Sandbox, *, with_key: bool = True) -> ApiClient:
    """Of the API, with the key that `make key` prints or with none."""
    return ApiClient(sandbox.outputs["Api"]["ApiUrl"], sandbox.api_key() if with_key else "")


def done(answer: BaseHTTPResponse, status: int) -> Any:
    """What the answer says. Raises SandboxError if it has another status."""
    if answer.status != status:
        raise SandboxError(f"Expected an answer of status {status}, got {answer.status}: {answer.data.decode()[:500]}")
    return answer.json() if answer.data else None


def upload_by_form(sandbox: Sandbox) -> None:
    """Announce a photo, send it by the form, and look at its thumbnails by their links. Raises SandboxError."""
    api, photo = client(sandbox), PHOTO.read_bytes()
    with step(f"API Gateway → Lambda: a form to upload {PHOTO.name} with") as proved:
        body = {"filename": PHOTO.name, "content_type": "image/jpeg", "size": len(photo)}
        refused = done(client(sandbox, with_key=False).request("POST", "photos", body), 403)
        announced = done(api.request("POST", "photos", body), 201)
        proved.append(f"without the API key: {refused['error']['message']}")
        proved.append(f"with it: photo {announced['photo']['id']}, {announced['photo']['state']}")
    where = f"photos/{announced['photo']['id']}"
    with step("S3 → SQS → Lambda: sent by the form, it becomes thumbnails") as proved:
        too_large = api.upload(announced["upload"], photo + b"x")
        if too_large.status < 400:
            raise SandboxError("The form took another file than the one announced.")
        done(api.upload(announced["upload"], photo), 204)
        wait_until(sandbox, "the photo is ready", lambda: done(api.request("GET", where), 200)["state"] == "ready")
        proved.append(f"S3 refused a file one byte larger ({too_large.status}), took the photo, and it is ready")
    with step("S3: the thumbnails, by signed links, are those of the photo") as proved:
        links: dict[str, str] = done(api.request("GET", where), 200)["thumbnails"]
        proved.extend(keep_and_look_at({int(size): api.fetch(link).data for size, link in links.items()}))


def list_photos(sandbox: Sandbox) -> None:
    """See that the list begins with the newest photo. Raises SandboxError."""
    with step("API Gateway → Lambda → DynamoDB: the list of photos") as proved:
        photos = done(client(sandbox, with_key=False).request("GET", "photos?limit=3"), 200)["photos"]
        if not photos or photos[0]["filename"] != PHOTO.name:
            raise SandboxError(f"The list does not begin with {PHOTO.name}: {photos}")
        proved.append(f"{photos[0]['filename']}, {photos[0]['state']}, since {photos[0]['created_at']}")


def delete_one(sandbox: Sandbox) -> None:
    """Delete a photo by the API, and see it go with its thumbnails. Raises SandboxError."""
    api = client(sandbox)
    with step("API Gateway → Lambda → S3 → SQS → Lambda: a photo deleted by the API") as proved:
        photos = done(api.request("GET", "photos?limit=100"), 200)["photos"]
        photo = next(photo for photo in photos if photo["filename"] == PHOTO.name)
        done(api.request("DELETE", f"photos/{photo['id']}"), 204)
        wait_until(sandbox, "the photo is gone", lambda: api.request("GET", f"photos/{photo['id']}").status == 404)
        proved.append(f"{photo['filename']} is gone")
