"""Shrinking, and what it needs: pixels of 8 bits a channel without a palette."""

from math import ceil, isfinite
from typing import Final, NamedTuple

from PIL import Image, ImageFilter

Size = tuple[int, int]

# Times too big that averaging leaves a picture to LANCZOS; 1.9 after mere halving.
_GAP, _HALVED_GAP = 2.5, 1.9  # above 50 dB

# Rows converted at a time: a 48-megapixel PNG with alpha peaks at 200 MiB, converted whole at 450.
_BAND: Final = 128


def fit(full: Size, side: int) -> Size:
    """The largest width and height inside a square of `side` with the shape of `full`, never enlarged."""
    scale = min(1.0, side / max(full))
    return max(1, round(full[0] * scale)), max(1, round(full[1] * scale))


class Coarse(NamedTuple):
    """A picture that averaging brought near the size of its thumbnail, in mode L, RGB, RGBA or CMYK.

    extent: how much of it, from the top left, is the picture; the rest made the decoder's last block full
    averaged: whether its pixels are means of the photo's
    """

    image: Image.Image
    extent: tuple[float, float]
    averaged: bool

    def resized(self, size: Size, resampling: Image.Resampling) -> Image.Image:
        """All of it at this size."""
        if self.image.size == size:
            return self.image
        return self.image.resize(size, resampling, (0, 0, *self.extent), reducing_gap=_GAP)

    def sharp(self, size: Size) -> Image.Image:
        """All of it at this size, by LANCZOS, less the slight blur of averaging: 1 dB for 0.5 ms at 256 pixels."""
        picture = self.resized(size, Image.Resampling.LANCZOS)
        gap = self.extent[0] / size[0]
        factor = int(gap / _GAP) or 1  # by which `resized` averages first
        if picture is self.image or not (self.averaged or factor > 1):
            return picture
        blur = 1 / 24 / (gap / factor) ** 2  # how the mean of a square differs from the value at its middle
        row = -blur, 1 + 2 * blur, -blur
        return picture.filter(ImageFilter.Kernel((3, 3), [a * b for a in row for b in row], scale=1))


def coarse(image: Image.Image, fitted: Size, extent: tuple[float, float], *, averaged: bool) -> Coarse:
    """`image` (its first `extent` pixels) averaged to somewhat more than `fitted`.

    averaged: whether it was before, by its decoder
    Raises ValueError for pixels that are not numbers.
    """
    factor = averageable(extent, fitted)
    smaller = extent[0] / factor[0], extent[1] / factor[1]
    return Coarse(_averaged(image, factor), smaller, averaged or factor != (1, 1))


def averageable(extent: tuple[float, float], fitted: Size) -> Size:
    """Of what `extent` is to shrink by, the part that averaging may do: 12 ms at 12 megapixels, LANCZOS alone 74."""
    ratios = extent[0] / fitted[0], extent[1] / fitted[1]
    across, down = (max(int(ratio / _GAP), 2 if ratio >= 2 * _HALVED_GAP else 1) for ratio in ratios)
    return across, down


def _averaged(image: Image.Image, factor: Size) -> Image.Image:
    """`image` with one plain pixel for each `factor` of its own, converted band by band to spare memory."""
    mode = _plain_mode(image)
    if image.mode == mode and (factor == (1, 1) or mode != "RGBA"):
        return image if factor == (1, 1) else image.reduce(factor)
    black_and_white = _black_and_white(image)
    averaged = Image.new(mode, (ceil(image.width / factor[0]), ceil(image.height / factor[1])))
    step = factor[1] * ceil(_BAND / factor[1])
    for top in range(0, image.height, step):
        band = image.crop((0, top, image.width, min(top + step, image.height)))
        averaged.paste(_plain(band, mode, black_and_white).reduce(factor), (0, top // factor[1]))
    return averaged


def _plain_mode(image: Image.Image) -> str:
    if image.mode in ("1", "I", "F") or image.mode.startswith("I;16"):
        return "L"
    if image.has_transparency_data:
        return "RGBA"
    return image.mode if image.mode in ("L", "CMYK") else "RGB"


def _black_and_white(image: Image.Image) -> tuple[float, float]:
    """The values of `image` that stand for black and white, where it has more than 8 bits."""
    if image.mode not in ("I", "F"):
        return 0, 65535
    darkest, brightest = image.getextrema()  # 32 bits define no white: stretch what there is
    assert isinstance(darkest, int | float) and isinstance(brightest, int | float)
    if not isfinite(brightest - darkest):
        raise ValueError("pixels that are not numbers")
    return darkest, brightest


def _plain(band: Image.Image, mode: str, black_and_white: tuple[float, float]) -> Image.Image:
    if band.mode.startswith("I;16"):
        band = band.convert("I")
    if band.mode in ("I", "F"):
        black, white = black_and_white
        scale = 255 / ((white - black) or 1)
        band = band.point(lambda value: value * scale + -black * scale)
    return band if band.mode == mode else band.convert(mode)
