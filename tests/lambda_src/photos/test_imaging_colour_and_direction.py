"""Upright whatever the camera said, and in the colours it meant."""

from io import BytesIO

import pytest
from PIL import Image, ImageCms

from photos.imaging import make_thumbnails
from tests.lambda_src.photos.pictures import corners, four_corners, opened, photo, psnr, saved

STORED = {  # how a camera lays the picture down that each EXIF orientation sets upright
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("orientation", STORED)
def test_upright_for_every_exif_orientation(orientation: int, format_: str) -> None:
    turn, upright = STORED[orientation], four_corners(600, 300)
    exif = Image.Exif()
    exif[0x0112] = orientation
    made = make_thumbnails(saved(upright.transpose(turn) if turn is not None else upright, format_, exif=exif))
    assert opened(made[256]).size == (256, 128)
    assert corners(made[256]) == ["red", "green", "blue", "white"]


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0garbage" * 9])
def test_broken_exif_does_not_lose_the_photo(exif: bytes) -> None:
    assert corners(make_thumbnails(saved(four_corners(), "JPEG", exif=exif))[256])[0] == "red"


def test_colours_are_converted_to_srgb() -> None:
    """The sample is in Adobe RGB, whose greens and reds are stronger than the same numbers in sRGB."""
    original = opened(photo("rocket.jpg"))
    profile = ImageCms.ImageCmsProfile(BytesIO(original.info["icc_profile"]))
    assert "Adobe RGB" in ImageCms.getProfileDescription(profile)
    expected = ImageCms.profileToProfile(original, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert expected is not None
    made = opened(make_thumbnails(photo("rocket.jpg"))[1024]).convert("RGB")
    at = (320, 40)  # sky
    assert made.getpixel(at) == pytest.approx(expected.getpixel(at), abs=6)


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_colours_are_converted_from_each_format(format_: str) -> None:
    original = opened(photo("rocket.jpg"))
    profile = original.info["icc_profile"]
    made = opened(make_thumbnails(saved(original, format_, icc_profile=profile))[256])
    plain = opened(make_thumbnails(saved(original, format_, icc_profile=b""))[256])
    right = opened(make_thumbnails(photo("rocket.jpg"))[256])
    assert psnr(made, right) > 34 > 31 > psnr(plain, right)


@pytest.mark.parametrize("profile", [b"nonsense", ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()])
def test_a_profile_that_does_not_fit_is_ignored(profile: bytes) -> None:
    for image in (four_corners(), four_corners().convert("L"), four_corners().convert("CMYK")):
        made = make_thumbnails(saved(image, "JPEG", icc_profile=profile))
        assert image.mode == "L" or corners(made[256]) == ["red", "green", "blue", "white"]
