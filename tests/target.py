"""Where the end-to-end tests find what they test: an emulator of their own or, by `E2E_TARGET=aws`, an account."""

import os

import pytest

TARGET = os.environ.get("E2E_TARGET", "local")

if TARGET not in ("local", "aws"):
    raise pytest.UsageError(f"E2E_TARGET is {TARGET!r}: 'aws' for the account of your credentials, or leave it out.")
