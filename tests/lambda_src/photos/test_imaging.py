"""What every thumbnail must be, on the sample photographs."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from photos.errors import Refused
from photos.imaging import MAX_BYTES, SIZES, make_thumbnails

PHOTOS = Path(__file__).parents[3] / "local" / "photos"


def opened(thumbnail: bytes) -> Image.Image:
    return Image.open(BytesIO(thumbnail))


def photo(name: str) -> bytes:
    return (PHOTOS / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "small", "large"),
    [
        ("rocket.jpg", (256, 171), (640, 427)),
        ("retina.jpg", (256, 256), (1024, 1024)),
        ("chelsea.png", (256, 170), (451, 300)),
        ("coffee-turned.jpg", (256, 171), (600, 400)),
    ],
)
def test_fits_the_square_and_is_never_enlarged(name: str, small: tuple[int, int], large: tuple[int, int]) -> None:
    thumbnails = make_thumbnails(photo(name))
    assert {size: opened(made).size for size, made in thumbnails.items()} == {256: small, 1024: large}
    assert all(opened(made).format == "WEBP" for made in thumbnails.values())


def test_has_no_metadata_left() -> None:
    original = opened(photo("coffee-turned.jpg"))
    assert original.getexif().get_ifd(0x8825), "the sample carries a GPS position to lose"
    for made in make_thumbnails(photo("coffee-turned.jpg")).values():
        assert not {"exif", "xmp", "icc_profile"} & opened(made).info.keys()
        assert b"EXIF" not in made


def test_same_bytes_in_same_bytes_out() -> None:
    assert make_thumbnails(photo("retina.jpg")) == make_thumbnails(photo("retina.jpg"))


def test_one_size_alone_is_possible() -> None:
    assert list(make_thumbnails(photo("rocket.jpg"), [64])) == [64]
    assert SIZES == (256, 1024)


@pytest.mark.parametrize(
    ("bytes_", "code"),
    [
        (b"", "empty"),
        (b"hello", "not_a_photo"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_a_photo"),
        (b"\xff\xd8\xff" + b"\0" * 100, "broken"),
        (b"\0" * (MAX_BYTES + 1), "too_many_bytes"),
    ],
)
def test_refuses_what_is_no_photo(bytes_: bytes, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        make_thumbnails(bytes_)
    assert refusal.value.code == code
    assert refusal.value.reason.endswith(".")


def test_refuses_a_truncated_photo() -> None:
    with pytest.raises(Refused, match="broken"):
        make_thumbnails(photo("rocket.jpg")[:60_000])
