"""ICC profiles lose the tags that can keep LittleCMS busy for minutes, and nothing else."""

from io import BytesIO

from PIL import Image, ImageCms

from photos.icc_profiles import without_processing_elements
from tests.lambda_src.photos.hostile import icc_profile, processing_elements
from tests.lambda_src.photos.images import open_image, sample


def in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    source = ImageCms.ImageCmsProfile(BytesIO(profile))
    converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert converted
    return converted


def test_profile_without_processing_elements_is_unchanged() -> None:
    for profile in (
        open_image(sample("rocket.jpg")).info["icc_profile"],
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    ):
        assert without_processing_elements(profile) == profile


def test_colors_come_from_the_other_tags_of_a_profile() -> None:
    """The elements square each channel; the other tags swap red and blue."""
    curve = b"para" + bytes(8) + (1 << 16).to_bytes(4, "big")
    columns = {b"bXYZ": (0x6FA2, 0x38F5, 0x0390), b"gXYZ": (0x6299, 0xB785, 0x18DA), b"rXYZ": (0x24A0, 0x0F84, 0xB6CF)}
    tags = {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    tags |= {tag: b"XYZ " + bytes(4) + b"".join(n.to_bytes(4, "big") for n in xyz) for tag, xyz in columns.items()}
    image = Image.new("RGB", (1, 1), (255, 0, 0))
    safe = without_processing_elements(icc_profile(tags | {b"D2B0": processing_elements(2)}))
    assert in_srgb(image, icc_profile(tags | {b"D2B0": processing_elements(2)})).getpixel((0, 0)) != (0, 0, 255)
    assert in_srgb(image, safe).getpixel((0, 0)) == in_srgb(image, icc_profile(tags)).getpixel((0, 0)) == (0, 0, 255)


def test_damaged_profile_is_returned() -> None:
    profile = icc_profile({b"D2B0": processing_elements(2)})
    for damaged in (b"", profile[:131], profile[:140], profile[:128] + b"\xff" * 16):
        assert len(without_processing_elements(damaged)) == len(damaged)
