"""A bill as a table and text, for the terminal and for docs/costs.md."""

from operations.compare.costs.assumptions import read_assumptions
from operations.cost.bill import Bill
from operations.cost.idle import unit_price

_HEADING = ["Service", "Item", "Quantity", "Unit price", "$ per month", "Quantity from"]


def bill_rows(bill: Bill) -> list[list[str]]:
    """Return a table with a heading, the free tier as a negative line, and the total."""
    rows = [
        [line.service, line.item, f"{line.quantity:.4g}", unit_price(line.price), f"{line.dollars:.2f}", line.basis]
        for line in bill.lines
    ]
    idle = ["all", "idle resources, as in `make cost`", "", "", f"{bill.idle_dollars:.2f}", "templates"]
    free = ["all", "free tier", "", "", f"{-bill.free_tier:.2f}", ""]
    return [_HEADING, *rows, idle, free, ["all", "total", "", "", f"{bill.total:.2f}", ""]]


def summary(bill: Bill) -> str:
    """Return the total, what 1,000 photos cost, and the multiple of the floor."""
    usage = bill.usage
    text = f"${bill.total:.2f} per month (us-east-1, before tax)"
    if not usage.photos:
        return f"{text}."
    text += (
        f", ${bill.total / usage.photos * 1000:.4f} per 1,000 photos. Processing the photos costs "
        f"${bill.processing:.2f} before the free tier, {bill.multiple:.2f} times the floor of ${bill.floor:.2f}."
    )
    if usage.photos + usage.deletions > bill.photos_at_most:
        text += f" The deployment can process {bill.photos_at_most:,.0f} photos a month: raise its maximum first."
    return text


def explanation(bill: Bill) -> str:
    """Return what is recorded and what is modeled, in one paragraph."""
    assumptions = read_assumptions()
    factor = {"ec2": assumptions.cpu_factor_ec2, "fargate": assumptions.cpu_factor_fargate}.get(
        bill.thumbnails_on, assumptions.cpu_factor_lambda
    )
    return (
        f"Recorded: the calls of each action in the sandbox ({bill.recorded_on}). Modeled: the duration of a photo, "
        f"that of `make bench` with {factor:g} times the CPU time on Graviton; batches of {bill.batch:g} messages; "
        f"photos that arrive in {assumptions.bursts_per_day:g} bursts a day and are stored for half of the month; "
        "empty receives; traces; the durations of other functions, of jobs, and of the sweep of this month's photos. "
        "Not included: retries, preflight requests of browsers, and storage of logs."
    )
