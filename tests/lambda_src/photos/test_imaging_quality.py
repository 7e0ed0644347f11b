"""As good as the slow way: decode everything, then LANCZOS."""

from io import BytesIO

import pytest
from PIL import Image, ImageCms, ImageOps

from photos import imaging
from tests.lambda_src.photos.pictures import HERE, REAL_PHOTOS, opened, photo, psnr, saved


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


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
def test_the_large_one_is_as_good(format_: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a photograph with the detail that a camera gives it, and big enough for every short cut."""
    monkeypatch.setattr(imaging, "_webp", lambda picture: saved(picture, "PNG"))
    tile = opened(photo("retina.jpg"))
    large = Image.new("RGB", (3 * tile.width, 3 * tile.height))
    for place in range(9):
        large.paste(tile, (place % 3 * tile.width, place // 3 * tile.height))
    whole = saved(large, format_, quality=95, compress_level=1)
    for thumbnail in imaging.make_thumbnails(whole).values():
        made = opened(thumbnail)
        assert psnr(made, opened(whole).convert("RGB").resize(made.size, Image.Resampling.LANCZOS)) >= 48


@pytest.mark.parametrize("name", REAL_PHOTOS)
def test_looks_like_its_golden_picture(name: str) -> None:
    golden = opened((HERE / "golden" / name).with_suffix(".webp").read_bytes())
    made = opened(imaging.make_thumbnails(photo(name))[256])
    assert made.size == golden.size
    assert psnr(made, golden) > 38  # another libwebp may round differently; wrong colours give 25
