"""Small files that keep a decoder busy for minutes, generated because some are large.

Each function returns one file. `FILES` has all of them by name, as functions, so that a test generates only what it
needs, and the verdict on it.
"""

import struct
import zlib
from collections.abc import Callable
from functools import partial
from typing import Final

from PIL import Image

from tests.lambda_src.photos.images import encode, four_corners, png_chunk

_MEBIBYTE: Final = 2**20


def jpeg_with_hidden_scans(markers: int) -> bytes:
    """A JPEG of 64 megapixels with 6,553 empty scans behind each TEM marker.

    TEM (FF 01) has no length. A parser that reads one takes the scans for the body of a segment.
    """
    jpeg = encode(Image.new("L", (8, 8)), "JPEG", progressive=True)
    frame, end = jpeg.index(b"\xff\xc2") + 5, jpeg.rindex(b"\xff\xd9")
    jpeg = jpeg[:frame] + struct.pack(">HH", 8_000, 8_000) + jpeg[frame + 4 :]
    scan = b"\xff\xda\0\x08\x01\x01\0\x01\x3f\0"  # the first bits of all AC coefficients, without data
    return jpeg[:end] + (b"\xff\x01\xff\xff" + scan * 6_553 + bytes(3)) * markers + jpeg[end:]


def processing_elements(count: int) -> bytes:
    """A tag of an ICC profile with this number of processing elements, which all share the same bytes.

    https://www.color.org/specification/ICC.1-2022-05.pdf, 10.16 (multiProcessElementsType).
    """
    curve = b"parf" + struct.pack(">IHHffff", 0, 0, 0, 1.01, 1, 0, 0)
    curves = b"cvst" + struct.pack(">IHH", 0, 3, 3) + struct.pack(">II", 36, 12 + len(curve)) * 3
    curves += b"curf" + struct.pack(">IHH", 0, 1, 0) + curve
    positions = struct.pack(">II", 16 + 8 * count, len(curves)) * count
    return b"mpet" + struct.pack(">IHHI", 0, 3, 3, count) + positions + curves


def icc_profile(tags: dict[bytes, bytes]) -> bytes:
    """An ICC profile of an RGB device."""
    d50 = 0xF6D6, 0x10000, 0xD32D  # the white point of the connection space
    header = struct.pack(">8xI4s4s4s12x4s28xIII", 0x04300000, b"mntr", b"RGB ", b"XYZ ", b"acsp", *d50)
    table, bodies = struct.pack(">I", len(tags)), b""
    for tag, body in tags.items():
        table += tag + struct.pack(">II", 132 + 12 * len(tags) + len(bodies), len(body))
        bodies += body + bytes(-len(body) % 4)
    profile = header.ljust(128, b"\0") + table + bodies
    return struct.pack(">I", len(profile)) + profile[4:]


def with_shared_elements(format_: str) -> bytes:
    """A photo whose ICC profile has 10,000 processing elements."""
    profile = icc_profile({b"D2B0": processing_elements(10_000)})
    return encode(four_corners(1_024, 1_024), format_, icc_profile=profile)


def png_with_compressed_chunks(kind: bytes, start: bytes) -> bytes:
    """A PNG with 49,788 chunks of this kind that inflate to 1 MiB each.

    Args:
        kind: iCCP, zTXt, or iTXt.
        start: What precedes the compressed data.
    """
    chunk = png_chunk(kind, start + zlib.compress(bytes(_MEBIBYTE - 1), 9))
    png = encode(four_corners(), "PNG")
    return png[:33] + chunk * min(49_788, (50 * _MEBIBYTE - len(png)) // len(chunk)) + png[33:]


def avif_with_frames(frames: int, layer: int | None = None) -> bytes:
    """An AVIF of 16 megapixels with many frames, of which a photo has only one.

    Args:
        frames: Number of frames. Each takes 377 bytes and 11 ms.
        layer: Layer to select (`lsel`). If no frame belongs to it, the decoder returns none, but decodes all.
    """
    size = 4_096, 4_096
    image = encode(Image.new("L", size), "AVIF", speed=10, subsampling="4:0:0")
    av1c = image.index(b"av1C") - 4
    properties = [
        box(b"ispe", struct.pack(">III", 0, *size)),
        box(b"pixi", b"\0\0\0\0\1\x08"),
        image[av1c : av1c + int.from_bytes(image[av1c : av1c + 4], "big")],
    ]
    properties += [box(b"lsel", struct.pack(">H", layer))] if layer is not None else []
    return avif(properties, image[image.index(b"mdat") + 4 :] * frames)


def avif(properties: list[bytes], pixels: bytes) -> bytes:
    """An AVIF of one item. https://aomediacodec.github.io/av1-avif/"""
    associations = bytes(0x80 | number + 1 for number in range(len(properties)))
    parts = [
        box(b"hdlr", bytes(8) + b"pict" + bytes(13)),
        box(b"pitm", struct.pack(">IH", 0, 1)),
        box(b"iinf", struct.pack(">IH", 0, 1) + box(b"infe", struct.pack(">IHH", 2 << 24, 1, 0) + b"av01\0")),
        box(
            b"iprp",
            box(b"ipco", b"".join(properties))
            + box(b"ipma", struct.pack(">IIHB", 0, 1, 1, len(properties)) + associations),
        ),
    ]
    start = box(b"ftyp", b"avif" + bytes(4) + b"avifmif1miaf")
    location = len(start) + 12 + sum(map(len, parts)) + 30 + 8
    iloc = struct.pack(">IBBHHHHII", 0, 0x44, 0, 1, 1, 0, 1, location, len(pixels))
    return start + box(b"meta", bytes(4) + b"".join(parts) + box(b"iloc", iloc)) + box(b"mdat", pixels)


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


FILES: Final[dict[str, tuple[str, Callable[[], bytes]]]] = {
    "jpeg with 6,553 hidden scans": ("too_many_scans", partial(jpeg_with_hidden_scans, 1)),
    "jpeg with 65,530 hidden scans": ("too_many_parts", partial(jpeg_with_hidden_scans, 10)),
    "jpeg whose profile shares elements": ("thumbnails", partial(with_shared_elements, "JPEG")),
    "webp whose profile shares elements": ("thumbnails", partial(with_shared_elements, "WEBP")),
    "png whose profile shares elements": ("thumbnails", partial(with_shared_elements, "PNG")),
    "avif whose layer never comes": ("too_many_parts", partial(avif_with_frames, 1_000, layer=1)),
    "avif whose layer never comes, ten times longer": ("too_many_parts", partial(avif_with_frames, 10_000, layer=1)),
    "avif with 1,000 frames": ("too_many_parts", partial(avif_with_frames, 1_000)),
    "png with 49,000 profiles": ("too_many_parts", partial(png_with_compressed_chunks, b"iCCP", b"a\0\0")),
    "png with 49,000 texts": ("too_many_parts", partial(png_with_compressed_chunks, b"zTXt", b"\0\0")),
    "png with 49,000 international texts": (
        "too_many_parts",
        partial(png_with_compressed_chunks, b"iTXt", b"a\0\1\0\xff\0\0"),
    ),
}
