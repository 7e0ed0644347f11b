"""Photos through the deployed Thumbnails stack, by a plain client, with IAM enforced."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image

from local.demo import catalogue
from local.demo.photo import PHOTO
from local.deployment import Deployment
from local.emulator import ROOT
from local.errors import SandboxError
from local.sandbox import Sandbox
from tests.e2e.eventually import eventually

PHOTOS = sorted((ROOT / "samples").glob("*.[jp][pn]g"))

AWKWARD_KEYS = [
    "plain.jpg",
    "UPPER.JPG",
    "no extension",
    "folder/photo.jpg",
    "deep/er/and/deep/er/photo.jpg",
    "with space.jpg",
    " leading space.jpg",
    "plus+plus.jpg",
    "percent%20encoded.jpg",
    "ampersand&equals=question?.jpg",
    "hash#tag.jpg",
    "umlaut-äöü.jpg",
    "日本語/写真.jpg",
    "mountain-🏔.jpg",
    "quote'double\".jpg",
    "comma,semi;colon:.jpg",
    "dots...jpg",
    "(brackets)[and]{braces}.jpg",
    "tilde~star*at@.jpg",
    "k" * 1024,
]


def _items(deployment: Deployment) -> dict[str, dict[str, Any]]:
    return {item["key"]: item for item in deployment.table_items(deployment.outputs["Thumbnails"]["CatalogueTable"])}


@pytest.fixture
def put(deployment: Deployment) -> Iterator[Callable[[str, bytes], None]]:
    """Puts an original, and deletes it after the test."""
    s3, bucket = deployment.client("s3"), deployment.outputs["Thumbnails"]["OriginalsBucket"]
    keys: set[str] = set()

    def put(key: str, body: bytes) -> None:
        keys.add(key)
        s3.put_object(Bucket=bucket, Key=key, Body=body)

    yield put
    for key in keys:
        s3.delete_object(Bucket=bucket, Key=key)
    eventually(lambda: not keys & set(_items(deployment)))


def _thumbnail(deployment: Deployment, key: str) -> Image.Image:
    answer = deployment.client("s3").get_object(Bucket=deployment.outputs["Thumbnails"]["ThumbnailsBucket"], Key=key)
    return Image.open(io.BytesIO(answer["Body"].read()))


def test_photos_with_unusual_keys_get_upright_thumbnails(
    deployment: Deployment, put: Callable[[str, bytes], None]
) -> None:
    photo = PHOTO.read_bytes()  # stored lying on its side
    for key in AWKWARD_KEYS:
        put(key, photo)
    eventually(lambda: set(AWKWARD_KEYS) <= set(_items(deployment)))
    items = _items(deployment)
    for key in AWKWARD_KEYS:
        assert items[key]["state"] == "ready", key
        sizes = {size: _thumbnail(deployment, path).size for size, path in items[key]["thumbnails"].items()}
        assert sizes == {"256": (256, 171), "1024": (600, 400)}, key
    assert len({item["id"] for item in items.values()}) == len(items)


def test_every_sample_photo_gets_thumbnails(deployment: Deployment, put: Callable[[str, bytes], None]) -> None:
    for photo in PHOTOS:
        put(photo.name, photo.read_bytes())
    names = {photo.name for photo in PHOTOS}
    eventually(lambda: names <= set(_items(deployment)))
    assert {_items(deployment)[name]["state"] for name in names} == {"ready"}


def test_text_file_is_rejected_with_a_reason(deployment: Deployment, put: Callable[[str, bytes], None]) -> None:
    put("text.jpg", b"This is a text.")
    eventually(lambda: "text.jpg" in _items(deployment))
    item = _items(deployment)["text.jpg"]
    assert (item["state"], item["code"]) == ("rejected", "not_a_photo")
    assert item["reason"]


def test_new_version_replaces_thumbnails_of_the_old_version(
    deployment: Deployment, put: Callable[[str, bytes], None]
) -> None:
    put("twice.jpg", PHOTOS[0].read_bytes())
    eventually(lambda: "twice.jpg" in _items(deployment))
    old = _items(deployment)["twice.jpg"]
    put("twice.jpg", PHOTOS[1].read_bytes())
    eventually(lambda: _items(deployment)["twice.jpg"]["etag"] != old["etag"])
    new = _items(deployment)["twice.jpg"]
    eventually(lambda: _objects_of(deployment, new["id"]) == set(new["thumbnails"].values()))


def test_deleting_an_original_removes_everything(deployment: Deployment, put: Callable[[str, bytes], None]) -> None:
    put("gone.jpg", PHOTOS[0].read_bytes())
    eventually(lambda: "gone.jpg" in _items(deployment))
    photo_id = _items(deployment)["gone.jpg"]["id"]
    assert _objects_of(deployment, photo_id)
    deployment.client("s3").delete_object(Bucket=deployment.outputs["Thumbnails"]["OriginalsBucket"], Key="gone.jpg")
    eventually(lambda: "gone.jpg" not in _items(deployment) and not _objects_of(deployment, photo_id))


def _objects_of(deployment: Deployment, photo_id: str) -> set[str]:
    bucket = deployment.outputs["Thumbnails"]["ThumbnailsBucket"]
    listed = deployment.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"{photo_id}/")
    return {entry["Key"] for entry in listed.get("Contents", [])}


@pytest.fixture
def without_the_grant_to_write_thumbnails(sandbox: Sandbox) -> Iterator[Callable[[], None]]:
    """The function may not write thumbnails, and its queue hands a message out again after a second.

    Yields what gives it the right back.
    """
    iam, sqs, queue = sandbox.client("iam"), sandbox.client("sqs"), sandbox.outputs["Thumbnails"]["UploadQueueUrl"]
    (role,) = [role["RoleName"] for role in iam.list_roles()["Roles"] if "Thumbnails-FunctionRole" in role["RoleName"]]
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    policy = json.dumps(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
    without = policy.replace('"s3:PutObject"', '"s3:PutObjectTagging"')
    assert without != policy
    visibility = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]

    def give_back() -> None:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=policy)

    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=without)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "1"})
    yield give_back
    give_back()
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=visibility)


def test_a_fault_is_told_by_the_demo_and_ends_in_the_dead_letter_queue_until_redriven(
    sandbox: Sandbox,
    put: Callable[[str, bytes], None],
    without_the_grant_to_write_thumbnails: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(catalogue, "PATIENCE_SECONDS", 3)
    put("denied.jpg", PHOTOS[0].read_bytes())
    with pytest.raises(SandboxError, match="not authorized to perform: s3:PutObject"):
        catalogue.wait_for_item(sandbox, "denied.jpg", "ready")
    eventually(lambda: _dead_letters(sandbox) == 1)
    without_the_grant_to_write_thumbnails()
    run = _redrive(sandbox)
    assert run.returncode == 0, run.stderr
    assert run.stdout.endswith("Messages reprocessed: 1\n")
    assert catalogue.wait_for_item(sandbox, "denied.jpg", "ready")
    assert _dead_letters(sandbox) == 0


def test_redrive_of_what_is_not_deployed_is_told_in_one_line(sandbox: Sandbox) -> None:
    run = _redrive(sandbox, "-c", "name=annas")
    assert run.returncode == 1
    assert run.stderr.splitlines()[0] == "Stack annas-Thumbnails does not exist in us-east-1."


def _redrive(sandbox: Sandbox, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "operations", *options, "redrive"],
        cwd=ROOT,
        env=os.environ | sandbox.emulator.client_environment(),
        capture_output=True,
        text=True,
    )


def _dead_letters(sandbox: Sandbox) -> int:
    attribute = "ApproximateNumberOfMessages"
    answer = sandbox.client("sqs").get_queue_attributes(
        QueueUrl=sandbox.outputs["Thumbnails"]["DeadLetterQueueUrl"], AttributeNames=[attribute]
    )
    return int(answer["Attributes"][attribute])


def test_bucket_denies_unknown_access_key(sandbox: Sandbox) -> None:
    stranger = sandbox.client("s3", access_key="AKIASTRANGER0000000")
    with pytest.raises(stranger.exceptions.ClientError):
        stranger.list_objects_v2(Bucket=sandbox.outputs["Thumbnails"]["OriginalsBucket"])
