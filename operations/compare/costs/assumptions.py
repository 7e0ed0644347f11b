"""The assumptions of a comparison, which users edit in `assumptions.toml`."""

import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from operations.errors import OperationError

FILE: Final = Path(__file__).parent.parent / "assumptions.toml"

_SHARE = "batch_fill"  # of a whole, so at most 1
_NOT_ZERO = ("bursts_per_day", "batch_fill", "lightsail_baseline_percent")  # the model divides by them


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """The values in `assumptions.toml`, which describes each of them with its unit."""

    bursts_per_day: float
    batch_fill: float
    cpu_factor_lambda: float
    cpu_factor_fargate: float
    cpu_factor_ec2: float
    cpu_factor_x86: float
    init_seconds_lambda: float
    init_seconds_lambda_image: float
    start_seconds_fargate: float
    start_seconds_ec2: float
    stop_seconds_ec2: float
    stop_seconds_batch: float
    image_gb: float
    lightsail_baseline_percent: Mapping[str, float]


def read_assumptions(file: Path = FILE) -> Assumptions:
    """Read the assumptions.

    Raises:
        OperationError: The file is invalid, or lacks a value. The message names it.
    """
    tables = _tables(file)
    names = [field.name for field in fields(Assumptions)]
    if problems := [*(f"[{name}] is missing" for name in names if name not in tables)] + [
        f"unknown [{name}]; allowed: {', '.join(names)}" for name in tables if name not in names
    ]:
        raise OperationError(f"{file.name}: {problems[0]}.")
    return Assumptions(**{name: _value(file, name, tables[name]) for name in names})


def assumption_rows() -> Iterator[list[str]]:
    """Yield name, value with unit, and reason of each assumption."""
    for name, table in _tables(FILE).items():
        value = table["value"]
        text = ", ".join(f"{key} {it:g}" for key, it in value.items()) if isinstance(value, dict) else f"{value:g}"
        yield [name, f"{text} {table['unit']}", table["why"]]


def _tables(file: Path) -> dict[str, dict[str, Any]]:
    try:
        return tomllib.loads(file.read_text())
    except tomllib.TOMLDecodeError as error:
        raise OperationError(f"{file.name} is not valid TOML: {error}.") from None


def _value(file: Path, name: str, table: Any) -> Any:
    if not isinstance(table, dict) or set(table) != {"value", "unit", "why"}:
        raise OperationError(f"{file.name}: [{name}] needs value, unit, and why.")
    value = table["value"]
    by_bundle = name == "lightsail_baseline_percent"
    limit = 100 if by_bundle else 1 if name == _SHARE else math.inf
    numbers = value.values() if by_bundle and isinstance(value, dict) else [value]
    if not all(type(it) in (int, float) and 0 <= it <= limit and (it or name not in _NOT_ZERO) for it in numbers):
        above = " above 0" if name in _NOT_ZERO else " from 0"
        allowed = f"a number{above}" + (f", at most {limit}" if limit < math.inf else "")
        raise OperationError(f"{file.name}: the value of [{name}] must be {allowed}, but it is {value!r}.")
    return value
