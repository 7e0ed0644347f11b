"""Thumbnails look like those of the unoptimized method: decode all pixels, then resize with Lanczos."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageCms, ImageOps

from photos import imaging
from tests.lambda_src.photos.images import (
    LARGE,
    PHOTOGRAPHS,
    REFERENCE_SIZES,
    SMALL,
    encode,
    open_image,
    psnr,
    sample,
    thumbnail,
)

INVISIBLE = 48  # dB; a smaller difference cannot be seen


@pytest.fixture
def lossless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write thumbnails as PNG, to leave out the loss of WebP."""
    monkeypatch.setattr(imaging, "_webp", lambda image: encode(image, "PNG"))


def reference(name: str, size: tuple[int, int]) -> Image.Image:
    """The thumbnail of a photograph, without any optimization."""
    image = open_image(sample(name))
    resized = ImageOps.exif_transpose(image).convert("RGB").resize(size, Image.Resampling.LANCZOS)
    if profile := image.info.get("icc_profile"):
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        ImageCms.profileToProfile(resized, source, ImageCms.createProfile("sRGB"), inPlace=True)
    return resized


@pytest.mark.usefixtures("lossless")
@pytest.mark.parametrize("sizes", [REFERENCE_SIZES[:1], REFERENCE_SIZES])
@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_optimizations_are_invisible(name: str, sizes: tuple[int, ...]) -> None:
    made = thumbnail(sample(name), sizes=sizes)
    assert psnr(made, reference(name, made.size)) >= INVISIBLE


KINDS: dict[str, tuple[str, dict[str, object]]] = {
    "JPEG": ("JPEG", {}),
    "progressive JPEG": ("JPEG", {"progressive": True}),
    "PNG": ("PNG", {"compress_level": 1}),
    "WebP": ("WEBP", {"method": 0}),
}
JPEG_WIDTHS = (1_500, 3_000, 4_500)  # the decoder reduces them by 2, 4, and 8 for the small thumbnail
LARGE_PHOTOS = [(kind, width) for kind in KINDS for width in (JPEG_WIDTHS if "JPEG" in kind else (3_000,))]


def large_photo(name: str, width: int, kind: str) -> bytes:
    """A photograph repeated to this width and height, which keeps its detail."""
    tile = open_image(sample(name)).convert("RGB")
    large = Image.new("RGB", (width, width))
    for left in range(0, width, tile.width):
        for top in range(0, width, tile.height):
            large.paste(tile, (left, top))
    format_, options = KINDS[kind]
    return encode(large, format_, quality=95, **options)


@pytest.mark.slow
@pytest.mark.usefixtures("lossless")
@pytest.mark.parametrize(("kind", "width"), LARGE_PHOTOS)
@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_optimizations_for_large_photos_are_invisible(name: str, kind: str, width: int) -> None:
    photo = large_photo(name, width, kind)
    expected = open_image(photo).convert("RGB").resize((SMALL, SMALL), Image.Resampling.LANCZOS)
    for sizes in (REFERENCE_SIZES[:1], REFERENCE_SIZES):
        # This one, sharper than a camera makes it, shows a little of the reduction by 8.
        sharpest = name == "coffee-turned.jpg" and width == 4_500 and len(sizes) == 1
        assert psnr(thumbnail(photo, sizes=sizes), expected) >= (46 if sharpest else INVISIBLE)


@pytest.mark.slow
@pytest.mark.usefixtures("lossless")
@pytest.mark.parametrize("kind", KINDS)
def test_optimizations_are_invisible_in_the_large_thumbnail(kind: str) -> None:
    """For a photograph as sharp as a camera makes it, and large enough for every optimization."""
    photo = large_photo("retina.jpg", 4_233, kind)
    made = thumbnail(photo, LARGE)
    assert psnr(made, open_image(photo).convert("RGB").resize(made.size, Image.Resampling.LANCZOS)) >= INVISIBLE


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_thumbnail_looks_like_its_golden_image(name: str) -> None:
    golden = Image.open((Path(__file__).parent / "golden" / name).with_suffix(".webp"))
    made = thumbnail(sample(name))
    assert made.size == golden.size
    assert psnr(made, golden) > 38  # another libwebp can round differently; wrong colors give 25
