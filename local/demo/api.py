"""REST API (API Gateway and Lambda): upload, list, and delete a photo."""

from typing import Any

from urllib3 import BaseHTTPResponse

from local.api_client import ApiClient
from local.console import step
from local.demo.catalogue import wait_until
from local.demo.consumer import consumer
from local.demo.photo import PHOTO, save_and_verify
from local.errors import SandboxError
from local.sandbox import Sandbox


def api_client(sandbox: Sandbox, *, with_key: bool = True) -> ApiClient:
    """Return a client, with or without the API key."""
    return ApiClient(sandbox.outputs["Api"]["ApiUrl"], sandbox.api_key() if with_key else "")


def expect(response: BaseHTTPResponse, status: int) -> Any:
    """Return the JSON body of a response. Raises SandboxError if the status differs."""
    if response.status != status:
        raise SandboxError(f"Expected status {status}, but received {response.status}: {response.data.decode()[:500]}")
    return response.json() if response.data else None


def upload_by_form(sandbox: Sandbox) -> None:
    """Upload a photo with a presigned POST form, and verify its thumbnails. Raises SandboxError."""
    api, photo = api_client(sandbox), PHOTO.read_bytes()
    with step(f"API Gateway → Lambda: request a presigned POST for {PHOTO.name}") as findings:
        body = {"filename": PHOTO.name, "content_type": "image/jpeg", "size": len(photo)}
        denied = expect(api_client(sandbox, with_key=False).request("POST", "photos", body), 403)
        created = expect(api.request("POST", "photos", body), 201)
        findings.append(f"without the API key: {denied['error']['message']}")
        findings.append(f"with the API key: photo {created['photo']['id']}, {created['photo']['state']}")
    path = f"photos/{created['photo']['id']}"
    with step(f"S3 → SQS → {consumer(sandbox)}: upload the photo by the form") as findings:
        too_large = api.upload(created["upload"], photo + b"x")
        if too_large.status < 400:
            raise SandboxError("The form accepted a file of another size than requested.")
        expect(api.upload(created["upload"], photo), 204)
        wait_until(sandbox, "the photo is ready", lambda: expect(api.request("GET", path), 200)["state"] == "ready")
        findings.append(f"S3 rejected a file that is one byte larger ({too_large.status}); the photo is ready")
    with step("S3: download the thumbnails by presigned URLs") as findings:
        urls: dict[str, str] = expect(api.request("GET", path), 200)["thumbnails"]
        findings.extend(save_and_verify({int(size): api.fetch(url).data for size, url in urls.items()}))


def list_photos(sandbox: Sandbox) -> None:
    """Verify that the list begins with the newest photo. Raises SandboxError."""
    with step("API Gateway → Lambda → DynamoDB: list the photos") as findings:
        photos = expect(api_client(sandbox, with_key=False).request("GET", "photos?limit=3"), 200)["photos"]
        if not photos or photos[0]["filename"] != PHOTO.name:
            raise SandboxError(f"The list does not begin with {PHOTO.name}: {photos}")
        findings.append(f"{photos[0]['filename']}, {photos[0]['state']}, created {photos[0]['created_at']}")


def delete_photo(sandbox: Sandbox) -> None:
    """Delete a photo by the API, and wait until it is gone. Raises SandboxError."""
    api = api_client(sandbox)
    with step(f"API Gateway → Lambda → S3 → SQS → {consumer(sandbox)}: delete a photo by the API") as findings:
        photos = expect(api.request("GET", "photos?limit=100"), 200)["photos"]
        photo = next(photo for photo in photos if photo["filename"] == PHOTO.name)
        path = f"photos/{photo['id']}"
        expect(api.request("DELETE", path), 204)
        wait_until(sandbox, "the photo is deleted", lambda: api.request("GET", path).status == 404)
        findings.append(f"{photo['filename']} is deleted")
