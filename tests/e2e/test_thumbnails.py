"""The thumbnail workload. The emulator enforces IAM."""

import io
import time
from collections.abc import Callable, Iterator

import pytest
from PIL import Image

from local.demo import catalogue as demo_catalogue
from local.deployment import Deployment
from local.errors import SandboxError
from local.sandbox import Sandbox
from photos.limits import SIZES
from tests.e2e.eventually import eventually
from tests.e2e.failure_scenarios import (
    broken_library,
    dead_letters,
    revoked_permission,
    run_redrive,
    set_uploads_enabled,
    short_visibility_timeout,
)
from tests.e2e.photos import (
    COFFEE,
    SAMPLE_PHOTOS,
    catalogue,
    delete_originals,
    final_item,
    put_original,
    read_object,
    thumbnails,
)
from tests.e2e.programs import thumbnail_function
from tests.soak.faults import inject_faults

UNUSUAL_KEYS = [
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

Put = Callable[[str, bytes], None]


@pytest.fixture
def put(deployment: Deployment) -> Iterator[Put]:
    """Return a function that uploads an original, which is deleted after the test."""
    keys: set[str] = set()

    def put(key: str, body: bytes) -> None:
        keys.add(key)
        put_original(deployment, key, body)

    yield put
    delete_originals(deployment, *keys)


def _fit(image: tuple[int, int], size: int) -> tuple[int, int]:
    """Return the width and height of a thumbnail, which is never larger than the photo."""
    scale = min(1, size / max(image))
    return round(image[0] * scale), round(image[1] * scale)


def test_photos_with_unusual_keys_get_upright_thumbnails(deployment: Deployment, put: Put) -> None:
    for key in UNUSUAL_KEYS:
        put(key, COFFEE.read_bytes())  # stored rotated
    eventually(lambda: set(UNUSUAL_KEYS) <= catalogue(deployment).keys())
    items = catalogue(deployment)
    for key in UNUSUAL_KEYS:
        assert items[key]["state"] == "ready", key
        sizes = {
            size: Image.open(io.BytesIO(read_object(deployment, thumbnail))).size
            for size, thumbnail in items[key]["thumbnails"].items()
        }
        assert sizes == {str(size): _fit((600, 400), size) for size in SIZES}, key
    assert len({item["id"] for item in items.values()}) == len(items)


def test_text_file_is_rejected_with_a_reason(deployment: Deployment, put: Put) -> None:
    put("text.jpg", b"This is a text.")
    item = final_item(deployment, "text.jpg")
    assert (item["state"], item["code"]) == ("rejected", "not_a_photo")
    assert item["reason"]


def test_new_version_replaces_thumbnails_of_the_old_version(deployment: Deployment, put: Put) -> None:
    put("twice.jpg", SAMPLE_PHOTOS[0].read_bytes())
    old = final_item(deployment, "twice.jpg")
    put("twice.jpg", SAMPLE_PHOTOS[1].read_bytes())
    eventually(lambda: catalogue(deployment)["twice.jpg"]["etag"] != old["etag"])
    new = catalogue(deployment)["twice.jpg"]
    eventually(lambda: set(thumbnails(deployment, f"{new['id']}/")) == set(new["thumbnails"].values()))


def test_deleting_an_original_removes_everything(deployment: Deployment, put: Put) -> None:
    put("gone.jpg", SAMPLE_PHOTOS[0].read_bytes())
    photo_id = final_item(deployment, "gone.jpg")["id"]
    assert thumbnails(deployment, f"{photo_id}/")
    delete_originals(deployment, "gone.jpg")
    eventually(lambda: not thumbnails(deployment, f"{photo_id}/"))


def test_transient_error_ends_in_the_dead_letter_queue_until_redriven(
    sandbox: Sandbox, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_catalogue, "TIMEOUT_SECONDS", 3)
    with short_visibility_timeout(sandbox, seconds=1):
        with revoked_permission(sandbox, "Thumbnails", "s3:PutObject"):
            put("denied.jpg", SAMPLE_PHOTOS[0].read_bytes())
            eventually(lambda: any("s3:PutObject" in line for line in sandbox.log_lines("Thumbnails")))
            with pytest.raises(SandboxError, match="not authorized to perform: s3:PutObject"):
                demo_catalogue.wait_for_item(sandbox, "denied.jpg", "ready")
            eventually(lambda: dead_letters(sandbox, "Thumbnails") == 1)
        run = run_redrive(sandbox)
    assert run.returncode == 0, run.stderr
    assert final_item(sandbox, "denied.jpg")["state"] == "ready"
    assert dead_letters(sandbox, "Thumbnails") == 0


def test_photo_is_retried_and_not_rejected_when_a_library_of_the_function_is_broken(sandbox: Sandbox, put: Put) -> None:
    photo = io.BytesIO()
    Image.open(COFFEE).save(photo, "AVIF")
    with short_visibility_timeout(sandbox, seconds=1):
        with broken_library(sandbox, "PIL/_avif"):
            put("photo.avif", photo.getvalue())
            put("photo.jpg", COFFEE.read_bytes())
            eventually(lambda: dead_letters(sandbox, "Thumbnails") == 1)
            assert final_item(sandbox, "photo.jpg")["state"] == "ready"
            assert "photo.avif" not in catalogue(sandbox)
        run = run_redrive(sandbox)
    assert run.returncode == 0, run.stderr
    assert final_item(sandbox, "photo.avif")["state"] == "ready"


def _log_group(sandbox: Sandbox, function: str) -> str:
    configuration = sandbox.client("lambda").get_function_configuration(FunctionName=function)
    group: str = configuration["LoggingConfig"]["LogGroup"]
    return group


def test_slow_files_cost_the_good_photos_of_their_batch_no_delivery_attempt(sandbox: Sandbox, put: Put) -> None:
    slow = io.BytesIO()
    Image.new("RGBA", (8_000, 8_000)).save(slow, "TIFF", compression="tiff_adobe_deflate")
    codes = {f"{kind}-{number}": code for number in range(10) for kind, code in (("slow", "too_slow"), ("good", None))}
    start = int(1000 * time.time())
    set_uploads_enabled(sandbox, False)
    for key, code in codes.items():
        put(key, slow.getvalue() if code else COFFEE.read_bytes())
    function = thumbnail_function(sandbox)
    with inject_faults(sandbox, [function], cpu=0.2):
        set_uploads_enabled(sandbox, True)
        assert {key: final_item(sandbox, key).get("code") for key in codes} == codes
    log = sandbox.client("logs").filter_log_events(logGroupName=_log_group(sandbox, function.name), startTime=start)
    lines = [event["message"] for event in log["events"]]
    assert all(any(f"rejected, {key!r}" in line for line in lines) for key in codes if codes[key])
    assert not [line for line in lines if "will be retried" in line]
