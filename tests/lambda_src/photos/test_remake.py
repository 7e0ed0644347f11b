"""A remake gives every photo exactly the current thumbnails, whatever happens during it."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any

import pytest
from aws_cdk.assertions import Template

from photos import remake
from photos.errors import PhotoRejected
from photos.keys import thumbnail_key
from photos.limits import SIZES
from photos.remake import MAX_SLICES, InvalidManifest, Manifest, Remake, Slice, divide
from photos.thumbnails import Outcome
from tests.lambda_src.conftest import mocked_aws
from tests.lambda_src.crash_injection import Crash, crash_at
from tests.lambda_src.mocked_aws import MockedAws, jpeg

# In the order of S3: by the UTF-8 bytes, in which the last one comes after every character of two bytes.
KEYS = ["a.jpg", "b c/+1%.jpg", "z", "ü.jpg", "～.jpg", "🏔/no extension"]
EVERYTHING = Slice("", None)
NEW_SIZES = (min(SIZES), 2 * max(SIZES))


def run(aws: MockedAws, part: Slice = EVERYTHING) -> dict[str, Outcome | Exception]:
    """Remake a slice. Returns the outcomes by object key."""
    results = [*Remake(aws.originals, aws.thumbnail_bucket, aws.catalogue, aws.thumbnailer).run(part)]
    outcomes = dict(results)
    assert len(outcomes) == len(results), "each photo once"
    return outcomes


def change_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("photos.thumbnails", "photos.remake"):
        monkeypatch.setattr(f"{module}.SIZES", NEW_SIZES)


def assert_has_sizes(aws: MockedAws, keys: list[str], sizes: tuple[int, ...]) -> None:
    """Assert that these photos, and no others, have thumbnails of exactly these sizes, and that no other remains."""
    aws.assert_consistent()
    found = {key: set(item["thumbnails"]) for key, item in aws.items().items() if item["state"] == "ready"}
    assert found == {key: {str(size) for size in sizes} for key in keys}


@pytest.mark.parametrize("photos", [0, 1, 9, 10, 19, 20, 95, 100, 109, 110, 120, 500, 1_234])
def test_slices_contain_every_photo_once(monkeypatch: pytest.MonkeyPatch, photos: int) -> None:
    monkeypatch.setattr(remake, "PHOTOS_PER_SLICE", 10)
    monkeypatch.setattr(remake, "MAX_SLICES", 10)
    keys = [f"{number:04}" for number in range(photos)]
    manifest = Manifest.from_json(divide(iter(keys)).to_json())
    assert manifest.photos == photos
    parts = [manifest.slice(index) for index in range(len(manifest.starts))]
    divided = [[key for key in keys if key > it.after and (it.until is None or key <= it.until)] for it in parts]
    assert [key for part in divided for key in part] == keys
    assert 1 <= len(parts) <= 10
    assert min(map(len, divided)) >= min(photos, 10)
    if photos <= 100:
        assert max(map(len, divided)) < 20


def test_largest_manifest_fits_an_array_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remake, "PHOTOS_PER_SLICE", 2)
    manifest = divide(f"{number:08}" for number in range(MAX_SLICES * 2))
    assert len(manifest.starts) == MAX_SLICES
    manifest = divide(f"{number:08}" for number in range((MAX_SLICES + 1) * 2))
    assert MAX_SLICES / 2 <= len(manifest.starts) <= MAX_SLICES


@pytest.mark.parametrize("content", [b"", b"[]", b'{"photos": 1}', b'{"slices": null, "photos": 1}'])
def test_invalid_manifest_is_an_error(content: bytes) -> None:
    with pytest.raises(InvalidManifest):
        Manifest.from_json(content)


@pytest.mark.parametrize("index", [-1, 1])
def test_slice_that_does_not_exist_is_an_error(index: int) -> None:
    with pytest.raises(InvalidManifest, match=f"Slice {index} does not exist"):
        Manifest.from_json(json.dumps({"slices": [""], "photos": 0}).encode()).slice(index)


def test_remake_of_all_slices_changes_the_sizes_of_every_photo(aws: MockedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in KEYS:
        aws.process(key)
    change_sizes(monkeypatch)
    monkeypatch.setattr(remake, "PHOTOS_PER_SLICE", 2)
    manifest = divide(original.key for original in aws.originals.list_objects())
    outcomes = [run(aws, manifest.slice(index)) for index in range(len(manifest.starts))]
    assert [[*part] for part in outcomes] == [KEYS[0:2], KEYS[2:4], KEYS[4:6]]
    assert {outcome for part in outcomes for outcome in part.values()} == {Outcome.READY}
    assert_has_sizes(aws, KEYS, NEW_SIZES)


def test_remake_applies_a_change_of_quality(aws: MockedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    aws.process("a.jpg")
    before = aws.thumbnails()
    monkeypatch.setattr(aws.thumbnailer, "_make_thumbnails", lambda photo, sizes: dict.fromkeys(sizes, b"better"))
    run(aws)
    assert aws.thumbnails() == dict.fromkeys(before, b"better")


def test_remake_changes_nothing_when_everything_is_current(aws: MockedAws) -> None:
    aws.process("a.jpg")
    aws.process("rejected.jpg", b"no photo")
    before = aws.thumbnails(), aws.items()
    assert run(aws) == {"a.jpg": Outcome.READY, "rejected.jpg": Outcome.REJECTED}
    assert (aws.thumbnails(), aws.items()) == before


def test_remake_processes_photos_without_item(aws: MockedAws) -> None:
    upload = aws.upload("a.jpg", jpeg(), sequencer="00AB")
    aws.put("rejected.jpg", b"no photo")
    assert run(aws) == {"a.jpg": Outcome.READY, "rejected.jpg": Outcome.REJECTED}
    items = aws.items()
    assert (items["a.jpg"]["state"], items["rejected.jpg"]["code"]) == ("ready", "not_a_photo")
    assert_has_sizes(aws, ["a.jpg"], SIZES)
    # An event that arrives later takes precedence, and deletes the thumbnails of the remake.
    assert aws.thumbnailer.process_upload("a.jpg", upload) is Outcome.READY
    assert aws.items()["a.jpg"]["thumbnails"][str(SIZES[0])] == thumbnail_key("a.jpg", upload, SIZES[0])
    assert_has_sizes(aws, ["a.jpg"], SIZES)


def test_photo_that_fails_does_not_prevent_the_others(aws: MockedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, color in (("a", "red"), ("b", "blue"), ("c", "green")):
        aws.process(key, jpeg(color))
    failing, make_thumbnails = jpeg("blue"), aws.thumbnailer._make_thumbnails

    def fail(photo: bytes, sizes: Any) -> dict[int, bytes]:
        if photo == failing:
            raise MemoryError("out of memory")
        return make_thumbnails(photo, sizes)

    monkeypatch.setattr(aws.thumbnailer, "_make_thumbnails", fail)
    change_sizes(monkeypatch)
    outcomes = run(aws)
    assert (outcomes["a"], outcomes["c"]) == (Outcome.READY, Outcome.READY)
    assert isinstance(outcomes["b"], MemoryError)
    assert {key: set(item["thumbnails"]) for key, item in aws.items().items()} == {
        key: {str(size) for size in (SIZES if key == "b" else NEW_SIZES)} for key in "abc"
    }


def test_listing_that_fails_ends_the_slice(aws: MockedAws) -> None:
    aws.s3.delete_bucket(Bucket="originals")
    with pytest.raises(aws.s3.exceptions.NoSuchBucket):
        run(aws)


def upload_again(aws: MockedAws) -> None:
    aws.process("a", jpeg("blue"), sequencer="02")


def upload_the_same_again(aws: MockedAws) -> None:
    aws.process("a", jpeg("red"), sequencer="02")


def delete(aws: MockedAws) -> None:
    aws.delete("a")
    aws.thumbnailer.process_deletion("a", "02")


Mocked = Callable[[], AbstractContextManager[MockedAws]]


@pytest.fixture
def fresh(template: Callable[[str], Template]) -> Mocked:
    """Start with an empty mocked AWS, as often as necessary."""
    return lambda: mocked_aws(template("Thumbnails"))


@pytest.mark.guarantee("Loses no photo")
@pytest.mark.slow
@pytest.mark.parametrize("has_item", [True, False], ids=["with item", "without item"])
@pytest.mark.parametrize("change", [upload_again, upload_the_same_again, delete])
def test_change_at_any_point_of_a_remake_takes_precedence(
    fresh: Mocked, monkeypatch: pytest.MonkeyPatch, change: Callable[[MockedAws], None], has_item: bool
) -> None:
    def run_with_change_at(point: int | None) -> int:
        with fresh() as aws:
            prepare(aws, has_item)
            with crash_at(monkeypatch, point, stop=lambda: change(aws)) as injector:
                assert not [outcome for outcome in run(aws).values() if isinstance(outcome, Exception)]
            if point is not None:
                expected = [] if change is delete else ["a"]
                assert_has_sizes(aws, expected, SIZES)
                assert [item["sequencer"].rstrip("0") for item in aws.items().values()] == ["02"] * len(expected)
            return injector.points

    for point in range(run_with_change_at(None)):
        run_with_change_at(point)


@pytest.mark.guarantee("Loses no photo")
@pytest.mark.slow
@pytest.mark.parametrize("has_item", [True, False], ids=["with item", "without item"])
@pytest.mark.parametrize("photo", [jpeg("red"), b"no photo"], ids=["photo", "rejected"])
def test_remake_that_was_killed_at_any_call_leaves_nothing_for_the_sweep(
    fresh: Mocked, monkeypatch: pytest.MonkeyPatch, photo: bytes, has_item: bool
) -> None:
    def run_with_crash_at(point: int | None) -> tuple[Any, int]:
        with fresh() as aws, monkeypatch.context() as patch:
            prepare(aws, has_item)
            if photo == b"no photo":  # as after a change of the decoder
                patch.setattr(aws.thumbnailer, "_make_thumbnails", reject)
            change_sizes(patch)
            with crash_at(monkeypatch, point) as injector, suppress(Crash):
                run(aws)
            run(aws)
            aws.assert_consistent()
            items = {key: item | {"created_at": ""} for key, item in aws.items().items()}
            return (items, aws.thumbnails()), injector.points

    expected, points = run_with_crash_at(None)
    assert [item["state"] for item in expected[0].values()] == ["rejected" if photo == b"no photo" else "ready"]
    for point in range(points):
        assert run_with_crash_at(point)[0] == expected, point


def prepare(aws: MockedAws, has_item: bool) -> None:
    """Put a photo whose event has been processed, or not."""
    if has_item:
        aws.process("a", jpeg("red"), sequencer="01")
    else:
        aws.put("a", jpeg("red"))


def reject(photo: bytes, sizes: object) -> dict[int, bytes]:
    raise PhotoRejected("broken", "This photo is broken.")
