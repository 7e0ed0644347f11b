"""What a photo may be and what is made of it: for those who promise it and those who do it."""

from typing import Final

SIZES: Final = (256, 1024)  # of thumbnails: sides of the squares they fit in, in pixels
MAX_BYTES: Final = 50 * 2**20  # the JPEG of a 100-megapixel camera has about 45 MiB

# What browsers call the formats that we read. A name proves nothing: formats are recognised by content.
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
