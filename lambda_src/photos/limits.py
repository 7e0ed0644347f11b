"""Limits of the service: the thumbnail sizes, the files that it accepts, and what decoding a photo may use.

The thumbnailer and the sweep read the sizes here; the API and its OpenAPI document read the limits on files.
"""

from typing import Final

SIZES: Final = (256, 1024)  # pixels; a thumbnail fits in a square of this side
MAX_BYTES: Final = 50 * 2**20  # a JPEG of a 100-megapixel camera has about 45 MiB

# Limits of the decoder process. docs/thumbnails.md shows how they follow from the most expensive accepted photos.
MAX_CPU_SECONDS: Final = 12  # of one photo; photos of known kinds take up to 4.3 s on x86
MAX_ELAPSED_SECONDS: Final = 45  # of one photo; only a process that waits for something reaches it first
MAX_ADDRESS_SPACE: Final = 1_350 * 2**20  # bytes; photos of known kinds need up to 900 MiB, and Python 40

# Content types that an upload can declare, one or more for each format in `photos.formats`. A declared type proves
# nothing, so the thumbnailer detects the format from the content.
CONTENT_TYPES: Final = (
    "image/avif",
    "image/bmp",
    "image/gif",
    "image/heic",
    "image/heif",
    "image/jpeg",
    "image/png",
    "image/tiff",
    "image/webp",
)
