"""The target of the end-to-end tests: an emulator or, with `E2E_TARGET=aws`, an account."""

import os

import pytest

TARGET = os.environ.get("E2E_TARGET", "local")

if TARGET not in ("local", "aws"):
    raise pytest.UsageError(
        f"E2E_TARGET must be 'aws' (the account of your credentials) or unset, but it is {TARGET!r}."
    )
