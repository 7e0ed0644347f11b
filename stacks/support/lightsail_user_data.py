"""The script that makes a bare Lightsail server the website of the gallery: `lightsail_user_data.sh` with the page."""

import base64
import bz2
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from stacks.support.errors import AppError

_TEMPLATE = Path(__file__).with_suffix(".sh")

# User data has 16 KB at most (EC2 guide, "User data"), of which Lightsail takes some for lines of its own.
_MAX_BYTES = 16 * 1024 - 2 * 1024

# Comments are for readers: they stay here.
_COMMENT = re.compile(r"^ *# .*\n", re.MULTILINE)
_COMMENT_OF_SCRIPT = re.compile(r"^ *// .*\n", re.MULTILINE)


class UserDataError(AppError):
    """The script would not fit, after a change of the page."""


@dataclass(frozen=True)
class UserData:
    """A script, and the hash of what it does: of the same template and page always the same, on every machine."""

    script: str
    hash: str


def user_data(page: Path, *, api_url: str | None) -> UserData:
    """The script for the files of the folder `page`. Raises UserDataError.

    api_url: what the page calls, may be a token, and is not in the hash; None leaves the page without an API
    """
    template, files = _TEMPLATE.read_text(), _files(page)
    script = _COMMENT.sub("", template).replace("@CONFIG@", json.dumps({"api_url": api_url}))
    script = script.replace("@PAGE@", _packed(files))
    size = len(script.encode())
    if size > _MAX_BYTES:
        raise UserDataError(
            f"The Lightsail server's user data has {size} bytes, but only {_MAX_BYTES} are allowed: "
            f"make the page in {page} smaller"
        )
    return UserData(script, hashlib.sha256(template.encode() + files).hexdigest())


def _files(page: Path) -> bytes:
    """The files of a folder as JSON: name → content, each byte a character of Latin-1."""
    found = sorted(path for path in page.rglob("*") if path.is_file())
    content = {path.relative_to(page).as_posix(): _text(path) for path in found}
    return json.dumps(content, ensure_ascii=False).encode()


def _text(file: Path) -> str:
    text = file.read_bytes().decode("latin-1")
    return _COMMENT_OF_SCRIPT.sub("", text) if file.suffix == ".js" else text


def _packed(files: bytes) -> str:
    """As text, a fifth shorter than gzip and base64 would make it.

    With a comma for each dollar: CloudFormation gives ${} a meaning.
    """
    return base64.b85encode(bz2.compress(files)).decode().replace("$", ",")
