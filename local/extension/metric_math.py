"""CloudWatch metric math: the expressions that alarms can use.

Emulated: numbers, metrics by their IDs, `+ - * /`, comparisons of two values, lists, and the functions FILL (with a
number), FLOOR, CEIL, IF, and MIN and MAX of a list. Each period is evaluated alone. Not emulated: all other functions
and operators, which are an error when the alarm is created.

See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

import ast
import math
import operator
from collections.abc import Callable, Collection, Mapping, Sequence

# The value of one period, or None without data points.
Value = float | None

_OPERATORS: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_ROUNDING: dict[str, Callable[[float], float]] = {"FLOOR": math.floor, "CEIL": math.ceil}
_AGGREGATES: dict[str, Callable[[Sequence[float]], float]] = {"MIN": min, "MAX": max}
_ARGUMENTS = {"FILL": 2, "FLOOR": 1, "CEIL": 1, "IF": 3}


class Expression:
    """An expression that was checked."""

    def __init__(self, text: str, ids: Collection[str]) -> None:
        """Parse an expression.

        Args:
            text: The expression.
            ids: The IDs of the metrics and expressions that it can use.

        Raises:
            ValueError: The expression is invalid, uses an unknown ID, or what is not emulated.
        """
        self._text = text
        try:
            self._root = ast.parse(text.strip(), mode="eval").body
        except SyntaxError as error:
            raise ValueError(f"Metric math expression {text!r}: {error.msg}, or an operator not emulated") from None
        self._check(self._root, ids)
        self.ids = {node.id for node in ast.walk(self._root) if isinstance(node, ast.Name)} & set(ids)

    def evaluate(self, values: Mapping[str, Value]) -> Value:
        """Return the value of one period from those of the metrics and expressions that it uses."""
        return _evaluate(self._root, values)

    def _check(self, node: ast.AST, ids: Collection[str]) -> None:
        match node:
            case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
                pass
            case ast.Name(id=name) if name in ids:
                pass
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                self._check(operand, ids)
            case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]) if (
                type(op) in _OPERATORS
            ):
                self._check(left, ids)
                self._check(right, ids)
            case ast.Call(func=ast.Name(id="MIN" | "MAX"), args=[ast.List(elts=[_, *_] as elements)], keywords=[]):
                for element in elements:
                    self._check(element, ids)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if len(arguments) == _ARGUMENTS.get(
                name
            ):
                for argument in arguments:
                    self._check(argument, ids)
            case _:
                part = ast.get_source_segment(self._text.strip(), node) or self._text
                raise ValueError(f"Metric math expression {self._text!r}: {part!r} is not emulated, or an unknown ID")


def _evaluate(node: ast.AST, values: Mapping[str, Value]) -> Value:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return values[name]
        case ast.UnaryOp(operand=operand):
            value = _evaluate(operand, values)
            return None if value is None else -value
        case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]):
            return _calculate(_OPERATORS[type(op)], _evaluate(left, values), _evaluate(right, values))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _call(name, arguments, values)
    raise AssertionError(ast.dump(node))


def _calculate(function: Callable[[float, float], float], left: Value, right: Value) -> Value:
    """Apply an operator. Without one of the values, or divided by zero, a period has no value."""
    if left is None or right is None:
        return None
    try:
        return float(function(left, right))
    except ZeroDivisionError:
        return None


def _call(name: str, arguments: Sequence[ast.AST], values: Mapping[str, Value]) -> Value:
    if name in _AGGREGATES:
        assert isinstance(arguments[0], ast.List)
        known = [value for element in arguments[0].elts if (value := _evaluate(element, values)) is not None]
        return _AGGREGATES[name](known) if known else None
    first, *rest = (_evaluate(argument, values) for argument in arguments)
    if name == "FILL":
        return rest[0] if first is None else first
    if first is None:
        return None
    return (rest[0] if first else rest[1]) if name == "IF" else float(_ROUNDING[name](first))
