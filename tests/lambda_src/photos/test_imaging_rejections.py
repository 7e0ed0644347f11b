"""Hostile and damaged files are rejected with a stable code, or give a correct thumbnail."""

import sys

import pytest
from PIL import Image

from photos import imaging
from photos.errors import PhotoRejected
from photos.formats import FORMATS
from photos.imaging import make_thumbnails
from photos.limits import MAX_BYTES
from tests.lambda_src.photos.images import REFERENCE_SIZES, encode, four_corners, open_image, png, sample, thumbnail

PILLOW_FORMATS = ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF", "BMP"]


def rejection_code(photo: bytes) -> str:
    with pytest.raises(PhotoRejected) as rejected:
        make_thumbnails(photo)
    assert rejected.value.reason.endswith(".")
    assert "0x" not in rejected.value.reason  # no memory addresses
    return rejected.value.code


@pytest.mark.parametrize(
    ("code", "file"),
    [
        ("empty", b""),
        ("too_many_bytes", bytes(MAX_BYTES + 1)),
        ("not_a_photo", b"hello"),
        ("not_a_photo", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("not_a_photo", b"<!doctype html><img src=x>"),
        ("not_a_photo", b"%PDF-1.7"),
        ("not_a_photo", b"%!PS-Adobe-3.0 EPSF-3.0"),
        ("not_a_photo", b"\0" * 1000),
        ("not_a_photo", b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom"),
        *(("broken", start + bytes(range(256)) * 8) for start in (b"\xff\xd8\xff", b"GIF89a", b"BM", b"II*\0")),
        ("broken", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value[:12]),
)
def test_file_without_an_image_is_rejected(code: str, file: bytes) -> None:
    assert rejection_code(file) == code


@pytest.mark.parametrize("format_", PILLOW_FORMATS)
def test_file_that_ends_in_its_header_is_rejected(format_: str) -> None:
    moving: dict[str, object] = {"save_all": True, "append_images": [Image.new("RGB", (400, 200))]}
    whole = encode(four_corners(), format_, **(moving if format_ == "WEBP" else {}))
    assert {rejection_code(whole[:length]) for length in range(1, 40)} <= {"not_a_photo", "broken"}


@pytest.mark.parametrize("format_", [*PILLOW_FORMATS, "HEIC"])
@pytest.mark.parametrize("part", [0.2, 0.6, 0.95])
def test_truncated_photo_is_rejected(format_: str, part: float) -> None:
    whole = sample("rocket-tiles.heic") if format_ == "HEIC" else encode(open_image(sample("rocket.jpg")), format_)
    assert rejection_code(whole[: int(len(whole) * part)]) == "broken"


@pytest.mark.parametrize("sizes", [REFERENCE_SIZES[:1], REFERENCE_SIZES])
def test_truncated_progressive_photo_is_rejected(sizes: tuple[int, ...]) -> None:
    whole = encode(open_image(sample("rocket.jpg")).resize((3_000, 2_000)), "JPEG", progressive=True)
    with pytest.raises(PhotoRejected, match="broken"):
        make_thumbnails(whole[: len(whole) // 2], sizes)


@pytest.mark.parametrize("size", [(30_000, 30_000), (2_147_483_647, 2_147_483_647), (100_001, 1_000)])
def test_decompression_bomb_is_rejected(size: tuple[int, int]) -> None:
    assert rejection_code(png(size, 8, 6, bytes(100))) == "too_many_pixels"


@pytest.mark.parametrize("format_", [*PILLOW_FORMATS, "HEIC"])
def test_photo_over_the_pixel_limit_is_rejected(format_: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = 300 * 200
    photo = sample("coffee.heic") if format_ == "HEIC" else encode(Image.new("RGB", (300, 200)), format_)

    def limit(max_pixels: int) -> None:
        monkeypatch.setattr("photos.formats.FORMATS", tuple(it._replace(max_pixels=max_pixels) for it in FORMATS))

    limit(pixels)
    make_thumbnails(photo)
    limit(pixels - 1)
    assert rejection_code(photo) == "too_many_pixels"


def test_error_of_our_own_code_is_no_rejection(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_named: object) -> None:
        raise TypeError("our mistake")

    for step in ("_draft_jpeg", "reduce_image", "_in_srgb", "_webp"):
        with monkeypatch.context() as patch, pytest.raises(TypeError, match="our mistake"):
            patch.setattr(imaging, step, fail)
            make_thumbnails(sample("rocket.jpg"))


@pytest.mark.parametrize(("format_", "library"), [("AVIF", "PIL._avif"), ("WEBP", "PIL._webp")])
def test_missing_library_is_no_rejection(format_: str, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = encode(four_corners(), format_)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError):
        make_thumbnails(photo)


def test_tiff_with_nan_pixels_is_rejected() -> None:
    assert rejection_code(encode(Image.new("F", (64, 64), float("nan")), "TIFF")) == "broken"


@pytest.mark.parametrize("format_", ["GIF", "WEBP", "AVIF", "PNG", "TIFF"])
def test_long_animation_is_accepted(format_: str) -> None:
    frames = [Image.new("RGB", (64, 64), (n % 256, n // 256, 0)) for n in range(600)]
    assert thumbnail(encode(frames[0], format_, save_all=True, append_images=frames[1:])).size == (64, 64)


def test_repeated_gif_is_accepted() -> None:
    frame = Image.new("P", (64, 64))
    moving = encode(frame, "GIF", save_all=True, append_images=[frame.point(lambda v, n=n: n) for n in range(200)])
    assert thumbnail(moving[:-1] * 3).size == (64, 64)


@pytest.mark.parametrize(("format_", "mode"), [("PNG", "1"), ("PNG", "L"), ("TIFF", "L"), ("BMP", "L"), ("JPEG", "L")])
def test_very_long_edge_is_accepted(format_: str, mode: str) -> None:
    edge = 65_500 if format_ == "JPEG" else 65_535  # the maximum of libjpeg
    made = thumbnail(encode(Image.new(mode, (edge, 100)), format_))
    assert made.height == 1
