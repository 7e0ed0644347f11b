"""Photos that the end-to-end tests upload, and their results in the catalogue and the buckets."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local.demo.photo import PHOTO
from local.deployment import Deployment
from local.emulator import ROOT
from tests.e2e.eventually import eventually

SAMPLES = ROOT / "samples"
SAMPLE_PHOTOS = sorted(SAMPLES.glob("*.[jp][pn]g"))
ROCKET, COFFEE, RETINA = (SAMPLES / name for name in ("rocket.jpg", "coffee-turned.jpg", "retina.jpg"))


def catalogue(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """Return the items of the catalogue by the key of the original."""
    return {item["key"]: item for item in deployment.table_items(deployment.outputs["Thumbnails"]["CatalogueTable"])}


def put_original(deployment: Deployment, key: str, body: bytes = PHOTO.read_bytes()) -> None:
    """Write an object to the originals bucket."""
    bucket = deployment.outputs["Thumbnails"]["OriginalsBucket"]
    deployment.client("s3").put_object(Bucket=bucket, Key=key, Body=body)


def final_item(deployment: Deployment, key: str) -> dict[str, Any]:
    """Wait until a photo is ready or rejected, and return its catalogue item."""

    def item() -> dict[str, Any] | None:
        found = catalogue(deployment).get(key)
        return found if found and found["state"] != "pending" else None

    photo: dict[str, Any] = eventually(item)
    return photo


@contextmanager
def uploaded_photo(deployment: Deployment, *keys: str) -> Iterator[None]:
    """Upload a photo under each key. Delete them in the end, and wait until the service has deleted its data."""
    for key in keys:
        put_original(deployment, key)
    yield
    delete_originals(deployment, *keys)


def delete_originals(deployment: Deployment, *keys: str) -> None:
    """Delete originals, and wait until their items are gone and no event is in the upload queue."""
    outputs = deployment.outputs["Thumbnails"]
    for key in keys:
        deployment.client("s3").delete_object(Bucket=outputs["OriginalsBucket"], Key=key)
    eventually(lambda: not set(keys) & catalogue(deployment).keys())
    eventually(lambda: not deployment.queue_depth(outputs["UploadQueueUrl"]))


def originals(deployment: Deployment) -> list[str]:
    """Return the keys of the originals bucket."""
    return _keys(deployment, "OriginalsBucket")


def thumbnails(deployment: Deployment, prefix: str = "") -> list[str]:
    """Return the keys of the thumbnails bucket that begin with `prefix`."""
    return _keys(deployment, "ThumbnailsBucket", prefix)


def _keys(deployment: Deployment, bucket: str, prefix: str = "") -> list[str]:
    pages = deployment.client("s3").get_paginator("list_objects_v2")
    listed = pages.paginate(Bucket=deployment.outputs["Thumbnails"][bucket], Prefix=prefix)
    return [entry["Key"] for page in listed for entry in page.get("Contents", [])]


def read_object(deployment: Deployment, key: str) -> bytes:
    """Return an object of the thumbnails bucket."""
    bucket = deployment.outputs["Thumbnails"]["ThumbnailsBucket"]
    body: bytes = deployment.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return body
