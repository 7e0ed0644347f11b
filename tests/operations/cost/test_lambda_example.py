"""The pricing example of the notes."""

import pytest

from operations.cost.lambda_example import claims, free_seconds
from operations.cost.prices import get_price


def _claims(photo_seconds: float, memory_mb: float) -> list[list[str]]:
    return claims(photo_seconds=photo_seconds, memory_mb=memory_mb, batch_size=5)


def test_free_requests_are_a_million_a_month() -> None:
    requests = get_price("lambda-requests")
    assert requests.charge(1) == 0
    assert requests.charge(2) == pytest.approx(0.20)


@pytest.mark.parametrize(("memory_mb", "seconds"), [(1024, 400_000), (128, 3_200_000)])
def test_free_gb_seconds_last_longer_with_less_memory(memory_mb: int, seconds: int) -> None:
    assert free_seconds(memory_mb) == seconds


def test_600000_gb_seconds_cost_ten_dollars_and_not_one() -> None:
    assert get_price("lambda-x86_64-gb-seconds").usd == pytest.approx(0.00001667, rel=1e-3)
    assert get_price("lambda-x86_64-gb-seconds").charge(1_000_000) == pytest.approx(10.00, rel=1e-3)
    (wrong,) = (computed for notes, computed in _claims(0.1, 1024) if "600,000" in notes)
    assert "$10.00 on x86" in wrong


def test_each_claim_is_computed_from_the_function() -> None:
    # 0.2 s at 2 GB: a million photos are 400,000 GB-seconds, which are free for a million photos.
    texts = " ".join(computed for _, computed in _claims(0.2, 2048))
    assert "200,000 s at 2,048 MB, 1.00 million photos" in texts
    assert "200 ms" in texts
    assert "$5.33 before the free tier" in texts
