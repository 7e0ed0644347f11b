"""A bill as a table and text, for the terminal and for docs/costs.md."""

from operations.cost.bill import Bill
from operations.cost.line import Line

_HEADING = ["Service", "Item", "Quantity", "Unit price", "$/month", "Basis"]

# Unit prices below this are shown for a million units.
_SMALL_PRICE = 0.001

# The last rows: idle resources, free tier, and total.
TOTALS = 3


def bill_rows(bill: Bill) -> list[list[str]]:
    """Return a table with a heading. The last `TOTALS` rows lead to the total; the free tier is negative."""
    totals = (
        ("idle, before free tier", bill.idle_dollars, "templates"),
        ("free tier", -bill.free_tier, ""),
        ("total", bill.total, ""),
    )
    return [
        _HEADING,
        *map(_row, bill.lines),
        *(["all", item, "", "", f"{dollars:,.2f}", basis] for item, dollars, basis in totals),
    ]


def _row(line: Line) -> list[str]:
    price = line.price
    in_millions, is_small = price.per.startswith("million "), price.usd < _SMALL_PRICE
    quantity = f"{line.quantity * 1e6:,.0f}" if in_millions else _decimal(line.quantity)
    about, usd = "~" if price.approximate else "", price.usd * 1e6 if is_small else price.usd
    unit = "million" if in_millions or is_small else price.per
    return [line.service, line.item, quantity, f"{about}${usd:.4g}/{unit}", f"{line.dollars:,.2f}", line.basis]


def _decimal(number: float) -> str:
    if number < 0.01:
        return "<0.01"
    return f"{number:,.0f}" if number >= 100 else f"{number:.2f}"


def summary(bill: Bill) -> str:
    """Return the total, what 1,000 photos cost, and the multiple of the floor."""
    usage = bill.month.usage
    text = f"${bill.total:,.2f} per month (us-east-1, before tax)"
    if not usage.photos:
        return f"{text}."
    text += (
        f", ${bill.total / usage.photos * 1000:,.4f} per 1,000 photos with idle resources and storage. "
        f"Processing the photos costs ${bill.processing:,.2f} before the free tier, {bill.multiple:,.2f} times the "
        f"floor of ${bill.floor:,.2f}."
    )
    if usage.photos + usage.deletions > bill.month.photos_at_most:
        text += f" The deployment can process {bill.month.photos_at_most:,.0f} photos a month: raise its maximum first."
    return text


def explanation(bill: Bill) -> str:
    """Return what is recorded and what is modeled, in one paragraph."""
    month = bill.month
    return (
        f"Recorded: the calls of each action in the sandbox ({month.record.date}). Modeled: the duration of a photo, "
        f"that of `make bench` with {month.cpu_factor:g} times the CPU time on Graviton, and cold starts; batches of "
        f"{month.batch:g} messages; photos that arrive in {month.assumptions.bursts_per_day:g} bursts a day and are "
        "stored for half of the month; empty receives; traces; the durations of other functions, of jobs, and of the "
        "sweep of this month's photos. Both: recorded calls, with the modeled number of batches. Not included: "
        "retries, preflight requests of browsers, and storage of logs."
    )
