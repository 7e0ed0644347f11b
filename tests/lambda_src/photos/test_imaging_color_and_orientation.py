"""Upright whatever the camera said, and in the colours it meant."""

import struct
from io import BytesIO
from itertools import product

import pytest
from PIL import Image, ImageCms, ImageColor

from photos.imaging import make_thumbnails
from tests.lambda_src.photos.images import corners, four_corners, opened, photo, psnr, saved

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


@pytest.mark.parametrize("progressive", [False, True])
def test_inks_are_what_their_profile_says(progressive: bool) -> None:
    ink = Image.new("CMYK", (3_000, 2_000), (255, 0, 0, 0))
    for profile, colour in ((b"", "cyan"), (profile_of_red_cyan(), "red")):
        photo_ = saved(ink, "JPEG", icc_profile=profile, progressive=progressive)
        for made in make_thumbnails(photo_).values():
            assert opened(made).convert("RGB").getpixel((50, 50)) == pytest.approx(ImageColor.getrgb(colour), abs=8)


def profile_of_red_cyan() -> bytes:
    """An ICC profile of a press whose cyan is red, and whose other inks are black (ICC.1:2001-04, 6.5.8)."""
    white, red, black = (255, 128, 128), (136, 209, 198), (0, 128, 128)  # L*a*b* as bytes
    inks = [white if not any(node) else red if node == (1, 0, 0, 0) else black for node in product((0, 1), repeat=4)]
    one, none = 0x10000, 0
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + struct.pack(">9i", one, *[none] * 3, one, *[none] * 3, one)
    table += bytes(range(256)) * 4 + b"".join(map(bytes, inks)) + bytes(range(256)) * 3
    d50 = struct.pack(">3i", 0xF6D6, one, 0xD32D)
    head = (
        bytes(4) + struct.pack(">I", 0x02400000) + b"prtrCMYKLab " + bytes(12) + b"acsp" + bytes(28) + d50 + bytes(48)
    )
    whole = head + struct.pack(">I4sII", 1, b"A2B0", 144, len(table)) + table
    return struct.pack(">I", len(whole) + 4) + whole
