"""The prices that the project keeps."""

from datetime import date

import pytest

from operations.prices import HOURS_A_MONTH, Price, UnknownPriceError, get_price


def test_a_price_says_where_and_when_it_was_read() -> None:
    price = get_price("public-ipv4")
    assert (price.usd, price.per, price.source) == (0.005, "hour", "VPC price list")
    assert price.read == date(2026, 9, 25)
    assert not price.approximate


def test_a_floating_price_is_marked() -> None:
    assert get_price("fargate-spot-arm64-vcpu").approximate


def test_an_unknown_price_is_refused() -> None:
    with pytest.raises(UnknownPriceError, match="no price of nat-gateway"):
        get_price("nat-gateway")


@pytest.mark.parametrize(
    ("per", "free", "quantity", "hourly"),
    [
        ("hour", 0, 2, 1.0),
        ("GB-month", 0, 2, 1 / HOURS_A_MONTH),
        ("month", 1, 2, 0.5 / HOURS_A_MONTH),
        ("month", 3, 2, 0),
    ],
)
def test_what_so_many_cost_in_an_hour(per: str, free: float, quantity: float, hourly: float) -> None:
    price = Price(usd=0.5, per=per, source="a list", read=date(2026, 1, 1), free=free)
    assert price.hourly(quantity) == pytest.approx(hourly)
