"""Hostile and broken input: a correct thumbnail or a refusal, never an accident, within 5 s."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from time import monotonic

import pytest
from PIL import Image

from photos import imaging
from photos.errors import PhotoRejected
from photos.formats import FORMATS
from photos.imaging import make_thumbnails
from photos.limits import MAX_BYTES
from tests.lambda_src.photos.images import four_corners, opened, photo, sample, saved


@pytest.fixture(autouse=True)
def within_five_seconds() -> Iterator[None]:
    start = monotonic()
    yield
    assert monotonic() - start < 5


def refusal_of(bytes_: bytes) -> PhotoRejected:
    with pytest.raises(PhotoRejected) as refusal:
        make_thumbnails(bytes_)
    assert refusal.value.reason.endswith(".")
    assert "0x" not in refusal.value.reason  # no memory addresses
    return refusal.value


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and has hardly any pixels."""
    chunks = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0), b"IDAT" + zlib.compress(bytes(100))
    whole = (struct.pack(">I", len(it) - 4) + it + struct.pack(">I", zlib.crc32(it)) for it in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(whole)


@pytest.mark.parametrize(
    "bytes_",
    [
        b"hello",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<!doctype html><img src=x>",
        b"%PDF-1.7",
        b"%!PS-Adobe-3.0 EPSF-3.0",
        b"\0" * 1000,
        b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
    ],
)
def test_what_is_no_photo(bytes_: bytes) -> None:
    assert refusal_of(bytes_).code == "not_a_photo"


def test_empty() -> None:
    assert refusal_of(b"").code == "empty"


def test_too_many_bytes() -> None:
    assert refusal_of(bytes(MAX_BYTES + 1)).code == "too_many_bytes"


@pytest.mark.parametrize("start", [b"\xff\xd8\xff", b"GIF89a", b"BM", b"II*\0", b"\x89PNG\r\n\x1a\n"])
def test_a_good_start_with_garbage_behind(start: bytes) -> None:
    assert refusal_of(start + bytes(range(256)) * 8).code == "broken"


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF", "BMP"])
def test_a_file_that_ends_in_its_header(format_: str) -> None:
    moving: dict[str, object] = {"save_all": True, "append_images": [Image.new("RGB", (400, 200))]}
    whole = saved(four_corners(), format_, **(moving if format_ == "WEBP" else {}))
    assert {refusal_of(whole[:length]).code for length in range(1, 40)} <= {"not_a_photo", "broken"}


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "TIFF", "BMP", "HEIC"])
@pytest.mark.parametrize("part", [0.2, 0.6, 0.95])
def test_a_truncated_photo(format_: str, part: float) -> None:
    whole = sample("rocket-tiles.heic") if format_ == "HEIC" else saved(opened(photo("rocket.jpg")), format_)
    assert refusal_of(whole[: int(len(whole) * part)]).code == "broken"


def test_a_truncated_progressive_photo() -> None:
    whole = saved(opened(photo("rocket.jpg")).resize((3_000, 2_000)), "JPEG", progressive=True)
    for sizes in ([256], [256, 1024]):
        with pytest.raises(PhotoRejected, match="broken"):
            make_thumbnails(whole[: len(whole) // 2], sizes)


@pytest.mark.parametrize("size", [(30_000, 30_000), (2_147_483_647, 2_147_483_647), (100_001, 1_000)])
def test_a_decompression_bomb(size: tuple[int, int]) -> None:
    assert refusal_of(png_header(*size)).code == "too_many_pixels"


@pytest.mark.parametrize("format_", ["PNG", "GIF", "TIFF", "JPEG", "WEBP", "AVIF", "BMP", "HEIC"])
def test_one_pixel_over_the_limit(format_: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = 300 * 200
    small = sample("coffee.heic") if format_ == "HEIC" else saved(Image.new("RGB", (300, 200)), format_)
    for limit in (pixels, pixels - 1):
        formats_ = tuple(replace(known, max_pixels=limit) for known in FORMATS)
        monkeypatch.setattr("photos.formats.FORMATS", formats_)
        if limit == pixels:
            make_thumbnails(small)
    assert refusal_of(small).code == "too_many_pixels"


def test_a_scan_bomb() -> None:
    honest = saved(four_corners(1_000, 1_000), "JPEG", progressive=True)
    last = honest.rindex(b"\xff\xda")
    bomb = honest[:-2] + honest[last:-2] * 5_000 + b"\xff\xd9"
    assert refusal_of(bomb).code == "too_many_scans"


def test_what_looks_like_scans_behind_the_photo_is_no_bomb() -> None:
    """Phones append a film to a photo, full of bytes that look like markers."""
    make_thumbnails(saved(four_corners(), "JPEG", progressive=True) + b"\xff\xda\x00\x02" * 1_000)


def test_a_wrong_extension_or_type_does_not_matter() -> None:
    assert opened(make_thumbnails(saved(four_corners(), "PNG"))[256]).size == (
        256,
        128,
    )  # nobody asked its name


@pytest.mark.parametrize("format_", ["GIF", "WEBP", "AVIF", "PNG", "TIFF"])
def test_a_long_animation(format_: str) -> None:
    frames = [Image.new("RGB", (64, 64), (n % 256, n // 256, 0)) for n in range(600)]
    moving = saved(frames[0], format_, save_all=True, append_images=frames[1:])
    assert opened(make_thumbnails(moving)[256]).size == (64, 64)


def test_an_animation_that_starts_again_and_again() -> None:
    frame = Image.new("P", (64, 64))
    moving = saved(frame, "GIF", save_all=True, append_images=[frame.point(lambda v, n=n: n) for n in range(200)])
    assert opened(make_thumbnails(moving[:-1] * 3)[256]).size == (64, 64)


@pytest.mark.parametrize(
    ("format_", "mode", "edge"),
    [
        ("PNG", "1", 65_535),
        ("PNG", "L", 65_535),
        ("TIFF", "L", 65_535),
        ("BMP", "L", 65_535),
        ("JPEG", "L", 65_500),  # the longest that libjpeg knows
    ],
)
def test_a_huge_edge(format_: str, mode: str, edge: int) -> None:
    made = make_thumbnails(saved(Image.new(mode, (edge, 100)), format_))
    assert opened(made[256]).size == (256, 1)


def test_a_photo_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imaging, "MAX_SECONDS", 0.05)
    assert refusal_of(saved(Image.new("RGB", (7_000, 7_000)), "TIFF", compression="tiff_lzw")).code == "too_slow"


def test_a_heic_that_crashes_its_decoder_takes_nothing_else_down() -> None:
    """Found by fuzzing: pi-heif 1.4.0 takes the type of an item for UTF-8, and for granted."""
    whole = sample("coffee-turned.heic")
    assert whole.count(b"Exif\0\0\0\0\x0epitm") == 1
    assert refusal_of(whole.replace(b"Exif\0\0\0\0\x0epitm", b"\xff\x10\x02\x02\0\0\0\0\x0epitm")).code == "broken"


def test_floats_that_are_no_numbers() -> None:
    assert refusal_of(saved(Image.new("F", (64, 64), float("nan")), "TIFF")).code == "broken"
