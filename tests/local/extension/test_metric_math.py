"""Metric math: the values of expressions, and what is rejected."""

import pytest

from local.extension.metric_math import Expression, Value

_WORK = "visible + FILL(flying, 0) + IF(visible > 0, 50 * FLOOR(FILL(age, 0) / 120), 0)"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        (_WORK, 108.0),
        ("a - 2 * 3", -3.0),
        ("-a / 2", -1.5),
        ("CEIL(a / 2) + FLOOR(a / 2)", 3.0),
        ("MAX([a, missing, 7]) - MIN([a, missing])", 4.0),
        ("a == 3", 1.0),
        ("a != 3", 0.0),
        ("IF(a < 3, 1, 2)", 2.0),
        ("IF(a <= 3, 1, 2)", 1.0),
        ("FILL(missing, 4)", 4.0),
        ("a + missing", None),
        ("IF(missing, 1, 2)", None),
        ("FLOOR(missing)", None),
        ("MAX([missing])", None),
        ("a / 0", None),
    ],
)
def test_expression_has_its_value(text: str, result: Value) -> None:
    values: dict[str, Value] = {"visible": 8, "flying": None, "age": 359, "a": 3, "missing": None}
    assert Expression(text, values).evaluate(values) == result


def test_work_without_messages_is_zero_and_without_data_points_unknown() -> None:
    ids = ["visible", "flying", "age"]
    assert Expression(_WORK, ids).evaluate({"visible": 0, "flying": 0, "age": 900}) == 0
    assert Expression(_WORK, ids).evaluate({"visible": None, "flying": 3, "age": 900}) is None


@pytest.mark.parametrize(
    "text",
    [
        "a +", "b", "a ** 2", "a && a", "1 < a < 3", "MAX(a)", "MAX([])", "SUM([a])", "FILL(a)", "FILL(a, REPEAT)",
        "IF(a, 1)", "'a'", "True", "a.real", "__import__('os')", "[a]", "FLOOR(x=a)", "",
    ],
)  # fmt: skip
def test_other_expressions_are_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="Metric math expression"):
        Expression(text, ["a"])
