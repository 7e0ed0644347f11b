"""Thumbnails are upright and in sRGB."""

import struct
from io import BytesIO
from itertools import product

import pytest
from PIL import Image, ImageCms, ImageColor

from tests.lambda_src.photos.images import (
    CORNERS,
    LARGE,
    REFERENCE_SIZES,
    corner_colors,
    encode,
    four_corners,
    open_image,
    psnr,
    sample,
    thumbnail,
)

STORED = {  # how a camera stores an upright scene with each EXIF orientation
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
def test_thumbnail_is_upright_for_every_exif_orientation(orientation: int, format_: str) -> None:
    transpose, upright = STORED[orientation], four_corners(600, 300)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = upright if transpose is None else upright.transpose(transpose)
    made = thumbnail(encode(stored, format_, exif=exif))
    assert made.width == 2 * made.height
    assert corner_colors(made) == CORNERS


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0garbage" * 9])
def test_damaged_exif_is_ignored(exif: bytes) -> None:
    assert corner_colors(thumbnail(encode(four_corners(), "JPEG", exif=exif))) == CORNERS


def test_colors_are_converted_to_srgb() -> None:
    """The sample is in Adobe RGB, whose greens and reds are stronger than the same numbers in sRGB."""
    original = open_image(sample("rocket.jpg"))
    profile = ImageCms.ImageCmsProfile(BytesIO(original.info["icc_profile"]))
    assert "Adobe RGB" in ImageCms.getProfileDescription(profile)
    expected = ImageCms.profileToProfile(original, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert expected is not None
    sky = (320, 40)
    made = thumbnail(sample("rocket.jpg"), LARGE).convert("RGB")
    assert made.getpixel(sky) == pytest.approx(expected.getpixel(sky), abs=6)


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_profile_is_applied_in_each_format(format_: str) -> None:
    original = open_image(sample("rocket.jpg"))
    expected = thumbnail(sample("rocket.jpg"))
    with_profile, without = (
        thumbnail(encode(original, format_, icc_profile=profile)) for profile in (original.info["icc_profile"], b"")
    )
    assert psnr(with_profile, expected) > 34 > 31 > psnr(without, expected)


def test_profile_of_a_tiff_that_is_no_profile_is_ignored() -> None:
    photo = encode(four_corners(), "TIFF", icc_profile=b"nonsense")
    tag, a_number, text = (struct.pack("<HHI", 34675, *it) for it in ((7, 8), (4, 1), (2, 8)))
    for other in (a_number, text):
        assert tag in photo
        assert corner_colors(thumbnail(photo.replace(tag, other))) == CORNERS


@pytest.mark.parametrize("profile", [b"nonsense", ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()])
@pytest.mark.parametrize("mode", ["RGB", "CMYK", "L"])
def test_unsuitable_profile_is_ignored(profile: bytes, mode: str) -> None:
    made = thumbnail(encode(four_corners().convert(mode), "JPEG", icc_profile=profile))
    assert mode == "L" or corner_colors(made) == CORNERS


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("side", REFERENCE_SIZES)
def test_cmyk_is_converted_by_its_profile(progressive: bool, side: int) -> None:
    ink = Image.new("CMYK", (3_000, 2_000), (255, 0, 0, 0))
    for profile, color in ((b"", "cyan"), (profile_with_red_cyan(), "red")):
        photo = encode(ink, "JPEG", icc_profile=profile, progressive=progressive)
        pixel = thumbnail(photo, side).convert("RGB").getpixel((50, 50))
        assert pixel == pytest.approx(ImageColor.getrgb(color), abs=8)


def profile_with_red_cyan() -> bytes:
    """An ICC profile of a printer whose cyan is red and whose other inks are black (ICC.1:2001-04, 6.5.8)."""
    white, red, black = (255, 128, 128), (136, 209, 198), (0, 128, 128)  # L*a*b* as bytes
    inks = [white if not any(node) else red if node == (1, 0, 0, 0) else black for node in product((0, 1), repeat=4)]
    one, none = 0x10000, 0
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + struct.pack(">9i", one, *[none] * 3, one, *[none] * 3, one)
    table += bytes(range(256)) * 4 + b"".join(map(bytes, inks)) + bytes(range(256)) * 3
    d50 = struct.pack(">3i", 0xF6D6, one, 0xD32D)
    head = bytes(4) + struct.pack(">I", 0x02400000) + b"prtrCMYKLab " + bytes(12) + b"acsp" + bytes(28) + d50
    whole = head + bytes(48) + struct.pack(">I4sII", 1, b"A2B0", 144, len(table)) + table
    return struct.pack(">I", len(whole) + 4) + whole
