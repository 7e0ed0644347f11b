"""Detection of the caller's public address."""

import pytest

from operations.errors import OperationError
from operations.public_address import detect_public_cidr


def test_detect_public_cidr_returns_only_the_address_of_the_caller() -> None:
    assert detect_public_cidr("data:,9.9.9.9%0A") == "9.9.9.9/32"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("data:,2001:db8::1", "returned '2001:db8::1'"),
        ("data:,<html>Log in to this network</html>", "returned '<html>Log in"),
        ("data:,", "returned ''"),
        ("data:,%FF%FE", "returned "),
        ("data:,10.1.2.3", "returned the private 10.1.2.3"),
        ("http://127.0.0.1:1", "unreachable"),
        ("checkip", "unreachable"),
    ],
)
def test_detect_public_cidr_reports_the_reason_and_the_remedy_in_one_line(url: str, reason: str) -> None:
    with pytest.raises(OperationError) as error:
        detect_public_cidr(url)
    assert reason in str(error.value)
    assert str(error.value).endswith("make deploy allowed_cidr=203.0.113.7/32")
    assert len(str(error.value).splitlines()) == 1
