"""User data of the Lightsail instance: `lightsail_user_data.sh` with the gallery page in it."""

import base64
import bz2
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from stacks.support.errors import AppError
from stacks.support.shared_resources import GalleryUrls

_TEMPLATE = Path(__file__).with_suffix(".sh")

# The limit of user data is 16 KB ("User data" in the EC2 guide), and Lightsail adds its own lines.
_MAX_BYTES = 16 * 1024 - 2 * 1024

# Comments in the template and in the scripts of the gallery page are removed.
_SHELL_COMMENT = re.compile(r"^ *# .*\n", re.MULTILINE)
_JAVASCRIPT_COMMENT = re.compile(r"^ *// .*\n", re.MULTILINE)


class UserDataError(AppError):
    """The user data exceeds its limit. Make the gallery page smaller."""


@dataclass(frozen=True)
class UserData:
    """A script and a hash of its content.

    Attributes:
        hash: SHA-256 of the template and the page. It does not depend on the machine or on the URLs.
    """

    script: str
    hash: str


def render_user_data(page: Path, *, urls: GalleryUrls) -> UserData:
    """Render the user data for the gallery page in the folder `page`.

    Args:
        urls: The API and the buckets; can be tokens.

    Raises:
        UserDataError: The script is too large.
    """
    template, files = _SHELL_COMMENT.sub("", _TEMPLATE.read_text()), _files(page)
    values = {
        **urls.environment_variables(),  # the template uses their names
        "CONFIG": json.dumps({"api_url": urls.api}),
        "PAGE": _pack(files),
    }
    script = template
    for name, value in values.items():
        script = script.replace(f"@{name}@", value)
    size = len(script.encode())
    if size > _MAX_BYTES:
        raise UserDataError(
            f"The user data of the Lightsail instance has {size} bytes. The maximum is {_MAX_BYTES}. "
            f"Make the page in {page} smaller."
        )
    return UserData(script, hashlib.sha256(template.encode() + files).hexdigest())


def _files(page: Path) -> bytes:
    """The files of a folder as JSON: name → content, with each byte as a character of Latin-1."""
    files = sorted(path for path in page.rglob("*") if path.is_file())
    content = {path.relative_to(page).as_posix(): _content(path) for path in files}
    return json.dumps(content, ensure_ascii=False).encode()


def _content(file: Path) -> str:
    content = file.read_bytes().decode("latin-1")
    return _JAVASCRIPT_COMMENT.sub("", content) if file.suffix == ".js" else content


def _pack(files: bytes) -> str:
    """Compress to text, a fifth shorter than gzip and base64. Commas replace $, because Fn::Sub interprets ${}."""
    return base64.b85encode(bz2.compress(files)).decode().replace("$", ",")
