"""Dollars per month of each option."""

from collections.abc import Iterator

from operations.compare.costs.billed_time import OPTIONS
from operations.compare.costs.model import Model
from operations.compare.page.section import LABELS, PHOTOS_PER_DAY, Section, dollars, photos_label

# Options whose photos do not wait for the next run.
_CONTINUOUS = [option for option in OPTIONS if not option.startswith("batch")]


# The day whose bill is shown by item, and the items by the start of their keys in `prices.toml`.
_BILL_PHOTOS = 100_000


_ITEMS = {
    "lambda-": "Compute",
    "fargate-": "Compute",
    "c": "Compute",
    "m": "Compute",
    "ec2-spot": "Compute",
    "lightsail-": "Compute",
    "public-ipv4": "IPv4 addresses",
    "ebs-": "Disks",
    "sqs-requests": "Queue",
    "logs": "Logs",
    "dynamodb-": "Reads of jobs",
    "alarms": "Alarms",
    "ecr-storage": "Image",
}


def cheapest(model: Model) -> Section:
    rows = [["Photos per day", "Cheapest", "Cheapest if photos can wait for a run of Batch"]]
    for photos in PHOTOS_PER_DAY:
        cells = []
        for options in (_CONTINUOUS, OPTIONS):
            costs = {option: model.cost(option, photos, free_tier=False) for option in options}
            best = min(options, key=lambda it: costs[it])
            cells.append(f"{LABELS[best]}, {dollars(costs[best])}")
        rows.append([photos_label(photos), *cells])
    return Section("Which option is cheapest", ["US dollars per month, without the free tier."], rows)


def costs(model: Model) -> Iterator[Section]:
    shared = (
        "Not in these tables, because every option pays it alike, for each million photos: requests to S3 and DynamoDB "
        f"of {dollars(model.shared_cost(1_000_000))}, and storage. `make cost PHOTOS=1000000` prints a bill with both."
    )
    text = (
        "By photos per day: what differs by compute. A photo takes its billed duration in an account or, from a run in "
        "the sandbox, its CPU time, times the factor of its processor, and the wait for S3 and DynamoDB that "
        "`make bench` measures with the latencies of a Region: several photos at a time or, in a job, one after the "
        "other. Messages and log bytes are those in `operations/cost/recorded_usage.json`."
    )
    for free_tier in (False, True):
        rows = [["Option", *(photos_label(photos) for photos in PHOTOS_PER_DAY)]]
        for option in OPTIONS:
            most = model.most_photos_per_day(option)
            rows.append(
                [
                    LABELS[option],
                    *(
                        dollars(model.cost(option, photos, free_tier=free_tier)) + " \\*" * (photos > most)
                        for photos in PHOTOS_PER_DAY
                    ),
                ]
            )
        free = "Lambda, SQS, and CloudWatch have free units in every account and month."
        yield Section(
            f"Dollars per month, {'with' if free_tier else 'without'} the free tier",
            [free if free_tier else text],
            rows,
            [
                "\\* More than the option can process within its maximum in the templates, which fits a new account.",
                *([] if free_tier else [shared]),
            ],
        )


def bill(model: Model) -> Section:
    rows = [["Option", *dict.fromkeys(_ITEMS.values())]]
    for option in OPTIONS:
        items, amounts = model.items(option, _BILL_PHOTOS), dict.fromkeys(_ITEMS.values(), 0.0)
        for key, units in items.items():
            (kind,) = (kind for start, kind in _ITEMS.items() if key.startswith(start))
            amounts[kind] += model.charge({key: units}, free_tier=False)
        rows.append([LABELS[option], *(dollars(usd) if usd else "–" for usd in amounts.values())])
    return Section(
        f"The bill for {_BILL_PHOTOS:,} photos a day",
        ["Dollars per month, without the free tier. Most of a bill is the time of a vCPU, busy or idle."],
        rows,
    )
