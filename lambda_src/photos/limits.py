"""Limits of the service: the thumbnail sizes, and the files that it accepts.

The thumbnailer and the sweep read the sizes here; the API and its OpenAPI document read the limits on files.
"""

from typing import Final

SIZES: Final = (256, 1024)  # pixels; a thumbnail fits in a square of this side
MAX_BYTES: Final = 50 * 2**20  # a JPEG of a 100-megapixel camera has about 45 MiB

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
