"""Where the numbers come from: list prices and assumptions."""

from operations.compare.costs.assumptions import assumption_rows
from operations.compare.costs.billed_time import OPTIONS
from operations.compare.costs.model import SHARED, Model
from operations.compare.page.section import PHOTOS_PER_DAY, Section
from operations.cost.prices import get_price


def list_prices(model: Model) -> Section:
    used = {key for option in OPTIONS for photos in PHOTOS_PER_DAY for key in model.items(option, photos)}
    used |= {*SHARED, *(f"lightsail-{bundle}" for bundle in model.bundles())}
    rows = [["Item", "Price", "Free each month", "Source, read on"]]
    for key in sorted(used):
        price = get_price(key)
        about = "about " if price.approximate else ""
        read = price.read or "date unknown"
        free = f"{price.free:,g}" if price.free else "–"
        rows.append([f"`{key}`", f"{about}${price.usd:.10g} per {price.per}", free, f"{price.source}, {read}"])
    return Section(
        "AWS list prices",
        [
            "us-east-1, before tax, from `operations/cost/prices.toml`. `about` marks a price that varies, or whose "
            "date or source is uncertain."
        ],
        rows,
    )


def assumed_values() -> Section:
    return Section(
        "Assumptions",
        ["From `operations/compare/assumptions.toml`. Edit it, then run `python -m operations.compare.page`."],
        [["Name", "Value", "Why"], *([f"`{name}`", value, why] for name, value, why in assumption_rows())],
    )
