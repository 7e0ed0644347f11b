"""As good as the slow way: decode everything, then LANCZOS."""

from io import BytesIO

import pytest
from PIL import Image, ImageCms, ImageOps

from photos import imaging
from tests.lambda_src.photos.images import HERE, REAL_PHOTOS, opened, photo, psnr, saved


def exact(name: str, size: tuple[int, int]) -> Image.Image:
    """The thumbnail of a photograph without a single short cut."""
    image = opened(photo(name))
    profile = image.info.get("icc_profile")
    thumbnail = ImageOps.exif_transpose(image).convert("RGB").resize(size, Image.Resampling.LANCZOS)
    if profile:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        converted = ImageCms.profileToProfile(thumbnail, source, ImageCms.createProfile("sRGB"))
        assert converted is not None
        return converted
    return thumbnail


@pytest.mark.parametrize("sizes", [(256,), (256, 1024)])
@pytest.mark.parametrize("name", REAL_PHOTOS)
def test_short_cuts_cannot_be_seen(name: str, sizes: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imaging, "_webp", lambda picture: saved(picture, "PNG"))  # or WebP's own loss would count
    made = opened(imaging.make_thumbnails(photo(name), sizes)[256])
    assert psnr(made, exact(name, made.size)) >= 48


KINDS: dict[str, tuple[str, dict[str, object]]] = {
    "JPEG": ("JPEG", {}),
    "progressive JPEG": ("JPEG", {"progressive": True}),
    "PNG": ("PNG", {"compress_level": 1}),
    "WebP": ("WEBP", {"method": 0}),
}
JPEG_WIDTHS = (1_500, 3_000, 4_500)  # of which the decoder makes 1/2, 1/4 and 1/8 for 256 px
LARGE = [(kind, width) for kind in KINDS for width in (JPEG_WIDTHS if "JPEG" in kind else (3_000,))]


def side_by_side(tile: Image.Image, width: int) -> Image.Image:
    """As wide as asked for, without losing detail."""
    large = Image.new("RGB", (width, width))
    for left in range(0, width, tile.width):
        for top in range(0, width, tile.height):
            large.paste(tile, (left, top))
    return large


@pytest.mark.parametrize(("kind", "width"), LARGE)
@pytest.mark.parametrize("name", REAL_PHOTOS)
def test_short_cuts_of_large_photos_cannot_be_seen(
    name: str, kind: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imaging, "_webp", lambda picture: saved(picture, "PNG"))
    format_, options = KINDS[kind]
    whole = saved(side_by_side(opened(photo(name)).convert("RGB"), width), format_, quality=95, **options)
    right = opened(whole).convert("RGB").resize((256, 256), Image.Resampling.LANCZOS)
    for sizes in ((256,), (256, 1024)):
        # One, side by side sharper than what any camera makes, shows a little of being decoded at 1/8.
        allowed = 46 if (name, width, sizes) == ("coffee-turned.jpg", 4_500, (256,)) else 48
        assert psnr(opened(imaging.make_thumbnails(whole, sizes)[256]), right) >= allowed


@pytest.mark.parametrize("kind", KINDS)
def test_the_large_one_is_as_good(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a photograph with the detail that a camera gives it, and big enough for every short cut."""
    monkeypatch.setattr(imaging, "_webp", lambda picture: saved(picture, "PNG"))
    format_, options = KINDS[kind]
    whole = saved(side_by_side(opened(photo("retina.jpg")), 4_233), format_, quality=95, **options)
    made = opened(imaging.make_thumbnails(whole)[1024])
    assert psnr(made, opened(whole).convert("RGB").resize(made.size, Image.Resampling.LANCZOS)) >= 48


@pytest.mark.parametrize("name", REAL_PHOTOS)
def test_looks_like_its_golden_picture(name: str) -> None:
    golden = opened((HERE / "golden" / name).with_suffix(".webp").read_bytes())
    made = opened(imaging.make_thumbnails(photo(name))[256])
    assert made.size == golden.size
    assert psnr(made, golden) > 38  # another libwebp may round differently; wrong colours give 25
