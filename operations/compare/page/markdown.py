"""The page `docs/compare.md` and its chart."""

from collections.abc import Iterator
from pathlib import Path

from operations.compare.costs.assumptions import read_assumptions
from operations.compare.costs.model import Model
from operations.compare.costs.sizes import Sizes, read_sizes
from operations.compare.measurement import Comparison
from operations.compare.page.chart import draw
from operations.compare.page.content import sections
from operations.compare.page.section import Section

_DOCS = Path(__file__).parents[3] / "docs"
PAGE = _DOCS / "compare.md"
CHART = _DOCS / "compare.svg"

_INTRODUCTION = """\
<!-- Written by `make compare`. Edits are lost. -->

# Compare the compute options

One setting, `thumbnails_on`, moves the thumbnail workload between Lambda, Fargate, and EC2; `make remake` does the same
work on Batch. `make compare` sends the same photos through each option and computes what each costs. This page is its
latest result. It separates [what was measured](#measured-here), [list prices](#aws-list-prices), and
[assumptions](#assumptions). Costs are estimates, not bills.

![US dollars per month by photos per day, one line for each compute option](compare.svg)

The chart shows what differs by compute, without the free tier. A circle marks the break-even point of two options. A
bar marks the most photos that an option can process within its maximum in the templates; beyond it, the line assumes a
higher maximum.
"""


def create_model(comparison: Comparison, sizes: Sizes | None = None) -> Model:
    """Create the model of a comparison with the assumptions in their file, and with the sizes in the templates.

    Raises:
        OperationError: An assumption is invalid, or the templates cannot be synthesized.
        UnknownPriceError: A template cannot be priced.
    """
    return Model.of(comparison, sizes or read_sizes(), read_assumptions())


def write_page(comparison: Comparison, model: Model) -> None:
    """Write the page and its chart."""
    PAGE.write_text(render_page(comparison, model))
    CHART.write_text(draw(model))


def render_page(comparison: Comparison, model: Model) -> str:
    """Return the page in Markdown."""
    return "\n".join([_INTRODUCTION, *(line for section in sections(comparison, model) for line in _markdown(section))])


def _markdown(section: Section) -> Iterator[str]:
    if section.details:
        yield f"<details><summary>{section.details}</summary>\n"
    else:
        yield f"## {section.title}\n"
    for paragraph in section.text:
        yield f"{paragraph}\n"
    heading, *rows = section.table
    yield from (f"| {' | '.join(row)} |" for row in (heading, ["---"] * len(heading), *rows))
    yield ""
    for note in section.notes:
        yield f"{note}\n"
    if section.details:
        yield "</details>\n"
