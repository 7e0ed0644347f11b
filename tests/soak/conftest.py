"""Fixtures of the harness's own tests."""

from tests.lambda_src.conftest import aws as aws
