"""Changes the structure of image files: parts, counts, offsets, and sizes, with valid checksums and lengths.

A file is a list of parts, such as PNG chunks or TIFF tags. `split` finds them, and `join` makes a file of them.
"""

import struct
from collections.abc import Callable
from random import Random
from typing import Final

from tests.lambda_src.photos.images import png_chunk

_EXTREMES: Final = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_REPETITIONS: Final = (2, 3, 20, 300, 5_000)
_LONGEST: Final = 2 * 2**20  # bytes; longer files are cut
_LARGE_SIZES: Final = ((7_000, 7_000), (16_000, 3_000), (900, 16_000), (2_500, 2_500))  # within all pixel limits


def mutate(random: Random, photo: bytes, other: bytes) -> bytes:
    """Return a changed photo.

    Args:
        random: Source of all decisions: the same state gives the same file.
        photo: A valid file.
        other: Another file of the same container, whose parts can be inserted.
    """
    if random.random() < 0.2:
        return _damage(random, photo)
    split, join = _container(photo)
    parts = split(photo)
    for _ in range(random.choice((1, 1, 2, 4))):
        _mutate_parts(random, parts, split(other))
    return join(parts)[:_LONGEST]


# How headers contain a size: JPEG; BMP; PNG, AVIF, and HEIC; GIF and VP8; VP8X; VP8L without and with alpha; TIFF.
_ENCODINGS: Final[tuple[Callable[[int, int], bytes], ...]] = (
    lambda width, height: struct.pack(">HH", height, width),
    lambda *size: struct.pack("<III", 40, *size),
    lambda *size: struct.pack(">II", *size),
    lambda *size: struct.pack("<HH", *size),
    lambda *size: b"".join((side - 1).to_bytes(3, "little") for side in size),
    lambda width, height: b"\x2f" + struct.pack("<I", width - 1 | height - 1 << 14),
    lambda width, height: b"\x2f" + struct.pack("<I", width - 1 | height - 1 << 14 | 1 << 28),
    lambda width, height: struct.pack("<HHIIHHII", 256, 3, 1, width, 257, 3, 1, height),
    lambda width, height: struct.pack("<HHIIHHII", 256, 4, 1, width, 257, 4, 1, height),
)


def claim_size(random: Random, photo: bytes, size: tuple[int, int]) -> bytes:
    """Return a photo of this size whose header claims many more pixels."""
    claimed = random.choice(_LARGE_SIZES)
    for encoding in _ENCODINGS:
        photo = photo.replace(encoding(*size), encoding(*claimed))
        photo = photo.replace(encoding(*size[::-1]), encoding(*claimed[::-1]))  # a decoder turned it
    return photo


def _damage(random: Random, photo: bytes) -> bytes:
    """Return a photo with damaged bytes, often near its start, where a decoder takes most of its decisions."""
    for _ in range(random.randint(1, 6)):
        at, garbage = (
            int(random.random() ** random.choice((1, 4)) * len(photo)),
            random.randbytes(random.randint(0, 16)),
        )
        before, after = photo[:at], photo[at:]
        repeated = photo[max(0, at - 512) : at]
        tails = [garbage + after[len(garbage) :], after[4 * len(garbage) :], garbage + after, repeated + after]
        photo = before + random.choice([*tails * 3, b"", random.randbytes(2_000)])
    return photo


def mutate_fields(random: Random, data: bytes) -> bytes:
    """Return data with extreme numbers, or copies of its numbers, so that offsets point at shared bytes."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 4)) if len(data) >= 4 else 0):
        size, order = random.choice((1, 2, 4)), random.choice((">", "<"))
        at = int(random.random() ** random.choice((1, 4)) * (len(data) - 3))  # often near the start
        at -= at % random.choice((1, size))  # most numbers are aligned
        copied = random.randrange(len(data) - 3)
        number = random.choice((*_EXTREMES, len(data), at, struct.unpack_from(f"{order}I", data, copied)[0]))
        encoded = struct.pack(f"{order}Q", number % 256**size)
        changed[at : at + size] = encoded[-size:] if order == ">" else encoded[:size]
    return bytes(changed)


def _mutate_parts(random: Random, parts: list[bytes], others: list[bytes]) -> None:
    at, to = random.randrange(len(parts)), random.randrange(len(parts) + 1)
    part = parts[at]
    match random.choice(("delete", "move", "repeat", "repeat", "splice", "fields", "fields", "share", "grow", "cut")):
        case "delete" if len(parts) > 1:
            del parts[at]
        case "move":
            parts.insert(to, parts.pop(at))
        case "repeat":
            part = random.choice((part, part, part[:12]))  # a header alone, such as an empty scan
            parts[to:to] = [part] * min(random.choice(_REPETITIONS), 1 + _LONGEST // (len(part) + 1))
        case "splice":
            parts.insert(to, random.choice(others))
        case "fields":
            parts[at] = mutate_fields(random, part)
        case "share":  # the number at the same place of another part, such as its offset
            size = random.choice((2, 4, 8))
            place = random.randrange(0, min(len(part), 64) + 1, size)
            parts[at] = part[:place] + random.choice(parts)[place : place + size] + part[place + size :]
        case "grow":
            parts[at] = part[:12] + part[12:] * random.choice((2, 20)) + bytes(random.choice((0, 70_000)))
        case "cut":
            parts[at] = part[: 4 + random.randrange(len(part) + 1)]


def _container(photo: bytes) -> tuple[Callable[[bytes], list[bytes]], Callable[[list[bytes]], bytes]]:
    """Return the functions that split and join files of the container of this photo."""
    if photo.startswith(b"\xff\xd8"):
        return _split_jpeg, lambda parts: b"\xff\xd8" + b"".join(parts)
    if photo.startswith(b"\x89PNG"):
        return _split_png, lambda parts: photo[:8] + b"".join(png_chunk(part[:4], part[4:]) for part in parts)
    if photo.startswith(b"RIFF"):
        return _split_riff, _join_riff
    if photo[4:8] == b"ftyp":
        return _split_boxes, lambda parts: _join_boxes(parts, len(photo))
    if photo.startswith(b"II*\0"):
        return _split_tiff, lambda parts: _join_tiff(photo, parts)
    return _split_gif if photo.startswith(b"GIF") else _split_bmp, b"".join


def _split_jpeg(photo: bytes) -> list[bytes]:
    """Segments, each with its marker and length. The last one contains the first scan and all after it."""
    parts, at = [], 2
    while photo[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(photo[at + 2 : at + 4], "big")
        parts.append(photo[at:end])
        at = end
    scans = photo[at:].split(b"\xff\xda")[1:]
    return parts + [b"\xff\xda" + scan for scan in scans]


def _split_png(photo: bytes) -> list[bytes]:
    """Chunks with their kinds, without their lengths and checksums."""
    parts, at = [], 8
    while at < len(photo):
        end = at + 8 + int.from_bytes(photo[at : at + 4], "big")
        parts.append(photo[at + 4 : end])
        at = end + 4
    return parts


def _split_riff(photo: bytes) -> list[bytes]:
    """Chunks with their kinds, without their lengths."""
    parts, at = [], 12
    while at < len(photo):
        size = int.from_bytes(photo[at + 4 : at + 8], "little")
        parts.append(photo[at : at + 4] + photo[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
    return parts


def _join_riff(parts: list[bytes]) -> bytes:
    chunks = (part[:4] + struct.pack("<I", len(part) - 4) + part[4:] + bytes(len(part) % 2) for part in parts)
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


_NESTED: Final = {b"meta": 4, b"iinf": 6} | dict.fromkeys(
    (b"iprp", b"ipco", b"moov", b"trak", b"mdia", b"minf", b"stbl"), 0
)  # boxes that contain boxes, with the bytes before these
_END: Final = b"END "  # a part that closes a box


def _split_boxes(photo: bytes) -> list[bytes]:
    """Boxes without their sizes. Those that contain boxes are followed by these, and by an end."""
    parts, at = [], 0
    while at + 8 <= len(photo):
        size = int.from_bytes(photo[at : at + 4], "big") or len(photo) - at
        kind, body = photo[at + 4 : at + 8], photo[at + 8 : at + max(size, 8)]
        if (head := _NESTED.get(kind)) is None:
            parts.append(kind + body)
        else:
            parts += [kind + body[:head], *_split_boxes(body[head:]), _END]
        at += max(size, 8)
    return parts


def _join_boxes(parts: list[bytes], length: int) -> bytes:
    """Join boxes so that the pixels in the last box stay where they were, if the boxes before do not grow."""
    levels: list[tuple[bytes, bytes]] = [(b"", b"")]
    for part in [*parts, *[_END] * len(parts)]:
        if part == _END and len(levels) == 1:
            continue
        if part != _END and part[:4] in _NESTED:
            levels.append((part, b""))
            continue
        start, body = levels.pop() if part == _END else (part, b"")
        outer, boxes = levels.pop()
        if part[:4] == b"mdat" and len(levels) == 0 and (free := length - len(boxes) - len(part) - 4) >= 8:
            boxes += struct.pack(">I", free) + b"free" + bytes(free - 8)
        levels.append((outer, boxes + struct.pack(">I", len(start) + len(body) + 4) + start + body))
    return levels[0][1]


def _split_tiff(photo: bytes) -> list[bytes]:
    """Tags of the first directory."""
    (directory,) = struct.unpack_from("<I", photo, 4)
    (count,) = struct.unpack_from("<H", photo, directory)
    return [photo[at : at + 12] for at in range(directory + 2, directory + 2 + 12 * count, 12)]


def _join_tiff(photo: bytes, tags: list[bytes]) -> bytes:
    """Append a directory with these tags to the file. All that they refer to stays where it was."""
    directory = struct.pack("<H", min(len(tags), 0xFFFF)) + b"".join(tags) + bytes(4)
    return photo[:4] + struct.pack("<I", len(photo)) + photo[8:] + directory


def _split_gif(photo: bytes) -> list[bytes]:
    """Header with the palette, extensions, and frames. The blocks of a frame's pixels are parts, too."""
    at = 13 + (3 << (photo[10] & 7) + 1 if photo[10] & 0x80 else 0)
    parts = [photo[:at]]
    while at < len(photo):
        start = at
        at += {0x21: 2, 0x2C: 11}.get(photo[at], 1)  # extension with its label; frame with the size of its codes
        at += 3 << (photo[start + 9] & 7) + 1 if photo[start] == 0x2C and photo[start + 9] & 0x80 else 0
        if photo[start] in b"!,":
            parts.append(photo[start:at])
            while photo[at]:
                parts.append(photo[at : at + 1 + photo[at]])
                at += 1 + photo[at]
            start, at = at, at + 1
        parts.append(photo[start:at])
    return parts


def _split_bmp(photo: bytes) -> list[bytes]:
    """Fields of the headers, and pixels."""
    return [photo[:2], *(photo[at : at + 4] for at in range(2, 54, 4)), photo[54:]]
