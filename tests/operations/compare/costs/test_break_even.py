"""Break-even points, of costs with known ones."""

from dataclasses import replace

from operations.compare.costs.break_even import _distinct, break_evens, crossings
from operations.compare.costs.model import Model
from operations.compare.costs.variations import variations
from operations.compare.measurement import Comparison


def test_crossing_is_the_first_number_of_photos_that_costs_less() -> None:
    points, signs = crossings(lambda photos: 0.002 * photos, lambda photos: 10)
    assert (points, signs) == ([5_001], [-1, 1])


def test_costs_can_cross_more_than_once() -> None:
    points, signs = crossings(lambda photos: photos, lambda photos: 200.0 if 100 <= photos < 300 else 50)
    assert (points, signs) == ([51, 100, 201], [-1, 1, -1, 1])


def test_costs_that_differ_by_less_than_a_cent_do_not_cross() -> None:
    assert crossings(lambda photos: 1, lambda photos: 1.009 if photos % 2 else 0.991) == ([], [])
    assert crossings(lambda photos: 1, lambda photos: 2) == ([], [-1])


def test_crossings_that_the_next_one_reverts_within_two_digits_are_none() -> None:
    assert _distinct([7, 13_600, 14_400, 20_000], [-1, 1, -1, 1, -1]) == ([7, 20_000], [-1, 1, -1])


def test_break_even_of_a_pair_names_the_cheaper_option_on_each_side(model: Model) -> None:
    (pair,) = break_evens(model, ["lambda", "fargate"], free_tier=False)
    assert pair.cheaper == ("lambda", "fargate")
    (point,) = pair.points
    for photos, cheaper in ((point * 0.95, "lambda"), (point * 1.05, "fargate")):
        costs = {option: model.cost(option, photos, free_tier=False) for option in pair.cheaper}
        assert min(costs, key=lambda it: costs[it]) == cheaper


def test_free_tier_moves_the_break_even_point_up(model: Model) -> None:
    without, with_free = (break_evens(model, ["lambda", "fargate"], free_tier=it)[0].points[-1] for it in (False, True))
    assert with_free > without


def test_variations_change_the_break_even_point_in_the_expected_direction(model: Model, comparison: Comparison) -> None:
    found = {it.change: it.photos_per_month or float("inf") for it in variations(model)}
    base = next(months for change, months in found.items() if change.startswith("**"))

    def months(part: str) -> float:
        return next(months for change, months in found.items() if part in change)

    assert months("… on Spot") < base < months("free tier")
    assert base < months("load balancer")
    assert months("twice the memory") < base < months("sized for its peak")
    assert months("100 ms of a whole vCPU") > base > months("takes 1 s")


def test_always_running_task_breaks_even_where_the_function_costs_as_much(model: Model) -> None:
    # Without requests and messages: a task of $0.0445 an hour, and a function of 2 GB at 0.2 s for each photo.
    quiet = replace(model, sizes=replace(model.sizes, alarms=dict.fromkeys(model.sizes.alarms, 0.0)))
    expected = 730 * (0.03238 + 2 * 0.00356 + 0.005) / (0.2 * 2 * 0.0000133334)
    base = next(it.photos_per_month for it in variations(quiet) if it.change.startswith("**"))
    assert base is not None
    assert abs(base / expected - 1) < 0.1
