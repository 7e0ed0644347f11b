"""The verifier finds each way in which a result can be wrong, and names option, photo, and difference."""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from operations.compare.measuring.files import File
from operations.compare.measuring.results import Result, Verifier
from operations.errors import OperationError
from photos.imaging import make_thumbnails
from photos.limits import SIZES
from tests.lambda_src.photos.images import sample

_PHOTO = File("JPEG", sample("coffee-turned.jpg"))
_FILES = {"a": _PHOTO, "b": _PHOTO, "c": File("text", b"This is not a photo.", "not_a_photo")}
_READY = Result("ready", None, make_thumbnails(_PHOTO.body))
_REJECTED = Result("rejected", "not_a_photo", {})
_RESULTS = {"a": _READY, "b": _READY, "c": _REJECTED}


def _with_thumbnail(change: Callable[[bytes], bytes | None]) -> Result:
    """Return a correct result, except that its smallest thumbnail is changed."""
    size = min(SIZES)
    webp = _READY.thumbnails[size]
    assert webp
    return replace(_READY, thumbnails={**_READY.thumbnails, size: change(webp)})


def _encode(image: Image.Image, format_: str = "WEBP") -> bytes:
    buffer = BytesIO()
    image.save(buffer, format_)
    return buffer.getvalue()


def _opened(webp: bytes) -> Image.Image:
    return Image.open(BytesIO(webp))


def test_correct_results_of_two_options_are_accepted() -> None:
    verifier = Verifier(_FILES)
    verifier.verify("lambda", _RESULTS)
    verifier.verify("fargate", _RESULTS)


@pytest.mark.parametrize(
    ("key", "result", "difference"),
    [
        ("a", None, "no item"),
        ("a", replace(_READY, state="pending"), "pending"),
        ("a", Result("rejected", "broken", {}), r"expected ready, but it is rejected \(broken\)"),
        ("c", Result("rejected", "broken", {}), r"expected rejected \(not_a_photo\), but it is rejected \(broken\)"),
        ("c", replace(_READY, state="rejected", code="not_a_photo"), "expected thumbnails of"),
        ("a", replace(_READY, thumbnails={SIZES[0]: _READY.thumbnails[SIZES[0]]}), "expected thumbnails of"),
        ("a", _with_thumbnail(lambda _: None), "is missing"),
        ("a", _with_thumbnail(lambda webp: _encode(_opened(webp), "PNG")), "PNG"),
        ("a", _with_thumbnail(lambda webp: _encode(_opened(webp).resize((100, 100)))), r"\(100, 100\)"),
        ("a", _with_thumbnail(lambda webp: _encode(_opened(webp).rotate(180))), "another image"),
        ("a", _with_thumbnail(lambda webp: webp[: len(webp) // 2]), "does not match"),
        ("b", _with_thumbnail(lambda webp: webp[:-1] + bytes([webp[-1] ^ 1])), "by lambda, photo a"),
    ],
)
def test_wrong_result_is_reported_in_one_line(key: str, result: Result | None, difference: str) -> None:
    results = {name: it for name, it in {**_RESULTS, key: result}.items() if it}
    with pytest.raises(OperationError, match=rf"^lambda: photo {key} \(.*{difference}") as raised:
        Verifier(_FILES).verify("lambda", results)
    assert "\n" not in str(raised.value)
