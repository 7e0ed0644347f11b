"""WebP decoded by libwebp itself shows what Pillow shows, and fails where Pillow fails."""

import sys
from io import BytesIO

import pytest
from PIL import Image, WebPImagePlugin

from photos import webp
from photos.downscaling import Size
from tests.lambda_src.photos.images import four_corners, opened, photo, psnr, saved

LOSSY, LOSSLESS = (saved(opened(photo("retina.jpg")), "WEBP", quality=90, lossless=way) for way in (False, True))


def shrinking(whole: bytes, factor: Size) -> Image.Image:
    return webp.shrinking(Image.open(BytesIO(whole)), whole, factor)


@pytest.mark.parametrize("whole", [LOSSY, LOSSLESS])
def test_every_pixel_is_that_of_pillow(whole: bytes) -> None:
    assert shrinking(whole, (1, 1)).tobytes() == opened(whole).convert("RGB").tobytes()


def test_clear_pixels_are_kept_whole() -> None:
    clear = four_corners().convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    whole = saved(clear, "WEBP")
    assert shrinking(whole, (4, 4)).tobytes() == opened(whole).tobytes()


@pytest.mark.parametrize("factor", [2, 3, 7])
@pytest.mark.parametrize("whole", [LOSSY, LOSSLESS])
def test_averages_as_it_decodes(whole: bytes, factor: int) -> None:
    made = shrinking(whole, (factor, factor))
    assert made.size == (-(-1411 // factor), -(-1411 // factor))
    exact = opened(whole).convert("RGB").resize(made.size, Image.Resampling.BOX)
    assert psnr(made, exact) > 45


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Pillow may hide its libwebp")
def test_pillow_is_not_asked_to_decode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WebPImagePlugin.WebPImageFile, "load", None)
    assert shrinking(LOSSY, (2, 2)).size == (706, 706)


def test_what_only_pillow_can_decode_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    moving = saved(four_corners(), "WEBP", save_all=True, append_images=[Image.new("RGB", (400, 200))])
    assert shrinking(moving, (2, 2)).size == (400, 200)
    monkeypatch.setattr("PIL._webp.__file__", None)  # this program itself, which has no libwebp
    assert shrinking(LOSSY, (2, 2)).size == (1411, 1411)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_a_truncated_one_is_damaged(part: float) -> None:
    image = Image.open(BytesIO(LOSSY))
    with pytest.raises(ValueError, match="libwebp"):
        webp.shrinking(image, LOSSY[: int(len(LOSSY) * part)], (2, 2))
