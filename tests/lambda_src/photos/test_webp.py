"""Direct decoding with libwebp gives the same pixels as Pillow, and fails where Pillow fails."""

import sys

import pytest
from PIL import Image, WebPImagePlugin

from photos import webp
from photos.downscaling import Size
from photos.errors import DamagedPhoto
from tests.lambda_src.photos.images import encode, four_corners, open_image, psnr, sample

SIDE = 1411  # of retina.jpg
LOSSY, LOSSLESS = (encode(open_image(sample("retina.jpg")), "WEBP", quality=90, lossless=it) for it in (False, True))


def decode_reduced(photo: bytes, factor: Size) -> Image.Image:
    return webp.decode_reduced(open_image(photo), photo, factor)


def test_photo_with_alpha_is_decoded_at_full_size() -> None:
    image = four_corners().convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    photo = encode(image, "WEBP")
    assert decode_reduced(photo, (4, 4)).tobytes() == open_image(photo).tobytes()


@pytest.mark.parametrize("photo", [LOSSY, LOSSLESS], ids=["lossy", "lossless"])
def test_webp_decodes_to_the_same_pixels_as_pillow(photo: bytes) -> None:
    assert decode_reduced(photo, (1, 1)).tobytes() == open_image(photo).convert("RGB").tobytes()
    for factor in (2, 3, 7):
        assert_pixels_are_averages(photo, factor)


def assert_pixels_are_averages(photo: bytes, factor: int) -> None:
    made = decode_reduced(photo, (factor, factor))
    assert made.size == (-(-SIDE // factor), -(-SIDE // factor))
    expected = open_image(photo).convert("RGB").resize(made.size, Image.Resampling.BOX)
    assert psnr(made, expected) > 45


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, Pillow can hide its libwebp")
def test_webp_is_decoded_without_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WebPImagePlugin.WebPImageFile, "load", None)
    assert decode_reduced(LOSSY, (2, 2)).size == (706, 706)


def test_animation_and_hidden_libwebp_are_left_to_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    moving = encode(four_corners(), "WEBP", save_all=True, append_images=[Image.new("RGB", (400, 200))])
    assert decode_reduced(moving, (2, 2)).size == (400, 200)
    monkeypatch.setattr("PIL._webp.__file__", None)  # loads this program itself, which has no libwebp
    assert decode_reduced(LOSSY, (2, 2)).size == (SIDE, SIDE)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_truncated_photo_raises_an_error(part: float) -> None:
    with pytest.raises(DamagedPhoto):
        webp.decode_reduced(open_image(LOSSY), LOSSY[: int(len(LOSSY) * part)], (2, 2))
