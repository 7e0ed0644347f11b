"""docs/thumbnails.md: its tables, as `make bench` measured them."""

from collections.abc import Mapping, Sequence
from typing import Any

from tools.benchmark.cold_start import BASE, HANDLER

SIZES = {"256": "256 px alone", "both": "256 px and 1024 px"}
ENGINES = ("floor", "floor and WebP", "this project", "sharp", "sharp, decoding once", "stock Pillow")
MEMORY_SETTING = 1769  # MB, of the function in stacks/constructs/thumbnail_function.py

Result = Mapping[str, Any]  # what bench.json holds


def tables(result: Result) -> dict[str, str]:
    """Each table by its name, in Markdown that is also readable as it is."""
    return {
        "targets": _table(["Target", "Allowed", "Measured", ""], [list(target) for target in _targets(result)]),
        **{f"speed of {sizes}": _speed(result, sizes) for sizes in SIZES},
        "memory": _memory(result["memory"]),
        "memory beside others": _memory_beside_others(result),
        "cold start": _cold_start(result["cold start ms"]),
        "cost": _cost(result["cost"]),
    }


def missed(result: Result) -> list[str]:
    """The targets that were not met."""
    return [f"{what} {measured}, {allowed}" for what, allowed, measured, met in _targets(result) if met != "met"]


def with_tables(page: str, result: Result) -> str:
    """The page with these tables between their marks. Raises ValueError if a mark is missing."""
    for name, table in tables(result).items():
        begin, end = f"<!-- {name}: written by `make bench` -->", f"<!-- {name} end -->"
        before, found_begin, rest = page.partition(begin)
        _, found_end, after = rest.partition(end)
        if not (found_begin and found_end):
            raise ValueError(f"docs/thumbnails.md has lost the marks {begin} and {end}")
        page = f"{before}{begin}\n\n{table}\n\n{end}{after}"
    return page


def _targets(result: Result) -> list[tuple[str, str, str, str]]:
    ms, memory, start = result["speed ms"], result["memory"], result["cold start ms"]

    def ratio(format_: str, sizes: str, other: str) -> float:
        return float(ms[format_][sizes]["this project"] / ms[format_][sizes][other])

    asked = [
        ("baseline JPEG, 256 px, of the floor", 1.4, ratio("JPEG", "256", "floor")),
        ("progressive JPEG, 256 px, of the floor", 0.6, ratio("progressive JPEG", "256", "floor")),
    ]
    if "sharp" in ms["JPEG"]["256"]:
        for format_, allowed in (
            ("JPEG", 1),
            ("progressive JPEG", 1),
            ("AVIF", 1),
            ("GIF", 1),
            ("PNG", 1.4),
            ("WebP", 1.4),
        ):
            asked.append((f"{format_}, 256 px, of sharp", allowed, ratio(format_, "256", "sharp")))
            asked.append((f"{format_}, both sizes, of sharp", allowed, ratio(format_, "both", "sharp")))
            once = ratio(format_, "both", "sharp, decoding once")
            asked.append((f"{format_}, both sizes, of sharp decoding once", allowed, once))
    asked += [
        ("48-megapixel baseline JPEG, MiB over the interpreter", 40, result["48 MP baseline JPEG MiB"]["this project"]),
        ("any accepted photo, MiB", MEMORY_SETTING, max(row["MiB at the limit"] for row in memory)),
        ("any accepted photo, seconds", 5, max(row["seconds at the limit"] for row in memory)),
        ("start of the handler, of boto3 and one client of S3", 1.3, start[HANDLER] / start[BASE]),
    ]
    return [
        (what, f"≤ {_short(allowed)}", _short(measured), "met" if measured <= allowed else "**not met**")
        for what, allowed, measured in asked
    ]


def _speed(result: Result, sizes: str) -> str:
    rows = []
    for format_, both in result["speed ms"].items():
        taken = both[sizes]
        cells = [f"{taken[e]:.0f} ({taken[e] / taken['floor']:.2f})" if e in taken else "–" for e in ENGINES]
        rows.append([format_, *cells])
    shown = [
        i for i, engine in enumerate(ENGINES) if any(engine in both[sizes] for both in result["speed ms"].values())
    ]
    return _table(["", *(ENGINES[i] for i in shown)], [[row[0], *(row[i + 1] for i in shown)] for row in rows])


def _memory(rows: Sequence[Mapping[str, Any]]) -> str:
    heading = [
        "Format",
        "Its hardest kind",
        "Bytes a pixel",
        "ms a megapixel",
        "Limit, MP",
        "MiB there",
        "Seconds there",
    ]
    return _table(
        heading,
        [
            [
                row["format"],
                row["kind"],
                f"{row['bytes a pixel']:.1f}",
                f"{1000 * row['seconds'] / row['megapixels']:.0f}",
                f"{row['limit in megapixels']:.0f}",
                f"{row['MiB at the limit']:.0f}",
                f"{row['seconds at the limit']:.1f}",
            ]
            for row in rows
        ],
    )


def _memory_beside_others(result: Result) -> str:
    engines = ("this project", "sharp, decoding once", "stock Pillow")
    photos = {"JPEG, baseline, of 48 megapixels": result["48 MP baseline JPEG MiB"]}
    photos |= {f"{row['format']}, {row['kind']}": row["MiB"] for row in result["memory"]}
    rows = [
        [photo, *(f"{peaks[engine]:.0f}" if engine in peaks else "–" for engine in engines)]
        for photo, peaks in photos.items()
    ]
    return _table(["", *engines], rows)


def _cold_start(start: Mapping[str, float]) -> str:
    rows = [[what, f"{ms:.0f}", f"{ms / start[BASE]:.2f}"] for what, ms in start.items()]
    return _table(["Started", "ms over an empty Python", "ratio"], rows)


def _cost(rows: Sequence[Mapping[str, Any]]) -> str:
    return _table(
        ["MB", "Processors", "ms for a photo", "$ for a million", "Holds what a photo may take"],
        [
            [
                f"{row['MB']:,}",
                f"{row['vCPU']:.2f}",
                f"{row['ms']:.0f}",
                f"{row['$ a million']:.2f}",
                "yes" if row["fits"] else "no",
            ]
            for row in rows
        ],
    )


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(heading, *rows, strict=True)]
    lines = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in (heading, *rows)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}".removesuffix(".00")
