"""What a run measured."""

from collections.abc import Iterator, Mapping

from operations.compare.measurement import Comparison, Option
from operations.compare.page.section import Section, decimal

_MIB = 1024**2


def measured(comparison: Comparison) -> Iterator[Section]:
    files = ", ".join(f"{count} {description}" for description, count in comparison.files.items())
    where = "the emulator on one machine" if comparison.target == "sandbox" else "an AWS account"
    text = [
        f"{comparison.photos} files ({files}; {comparison.bytes_per_photo / 1e6:.1f} MB on average) went through each "
        f"option in {where} ({comparison.machine}) on {comparison.date}. Thumbnails of all options are correct and "
        "byte-identical."
    ]
    if comparison.target == "sandbox":
        text.append(
            "This table has no times: in the sandbox, every option is a process on the same machine, so its times say "
            "little about AWS."
        )
    rows = [["Option", "Ready", "Rejected", "Identical thumbnails", "CPU s per photo", "Peak memory, MiB"]]
    account = comparison.target == "account"
    if account:
        rows[0] += ["First thumbnail after, s", "Last after, s", "Billed s per photo"]
    for option, it in comparison.measurements.items():
        row = [f"`{option}`", str(it.ready), str(it.rejected), str(it.thumbnails), decimal(it.cpu_seconds_per_photo, 3)]
        row.append(decimal(None if it.peak_bytes is None else it.peak_bytes / _MIB, 0))
        if account:
            row += [decimal(it.seconds_to_first, 1), decimal(it.seconds_to_last, 1)]
            row.append(decimal(it.billed_seconds_per_photo, 3))
        rows.append(row)
    yield Section("Measured here", text, rows)
    calls = {option: it.calls_per_photo for option, it in comparison.measurements.items() if it.calls_per_photo}
    if calls:
        yield _calls(calls)


def _calls(calls: Mapping[Option, Mapping[str, float]]) -> Section:
    names = sorted({name for counts in calls.values() for name in counts})
    rows = [["AWS calls per photo", *(f"`{option}`" for option in calls)]]
    rows += [[f"`{name}`", *(decimal(counts.get(name, 0), 2) for counts in calls.values())] for name in names]
    return Section(
        "AWS calls per photo",
        [
            "Recorded by role. Lambda receives and deletes messages with the role of the function. Calls that receive "
            "no message are not counted."
        ],
        rows,
    )
