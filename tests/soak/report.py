"""Counts of what happened during a soak."""

from collections import Counter
from dataclasses import dataclass, field

# Errors and other counts that a complete soak must contain.
_REQUIRED_ERRORS = ("SlowDown", "InternalError", "timeout after execution", "connection reset")
_REQUIRED_COUNTS = (
    "late events",
    "reordered events",
    "killed processes",
    "sweeps without grace period",
    "messages in the dead-letter queue",
)


@dataclass
class SoakReport:
    """The results of a soak.

    Attributes:
        counts: Events, calls, processes, and sweeps, by description.
        errors: Failed AWS calls of the functions, by kind.
        states: Photos at the end, by state.
    """

    counts: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)

    def missing_faults(self, error_rate: float, duplicate_rate: float) -> list[str]:
        """Return which faults did not occur, or not at about their rate (±30 %, for chance)."""
        missing = [f"no {kind}" for kind in _REQUIRED_ERRORS if not self.errors[kind]]
        missing += [f"no {name}" for name in _REQUIRED_COUNTS if not self.counts[name]]
        for count, total, rate, what in (
            (self.errors.total(), self.counts["calls"], error_rate, "calls failed"),
            (self.counts["duplicated events"], self.counts["events"], duplicate_rate, "events were duplicated"),
        ):
            if not 0.7 * rate * total < count < 1.3 * rate * total:
                missing.append(f"{count} of {total} {what}, expected about {rate:.0%}")
        return missing


def describe(counts: Counter[str]) -> str:
    """Return the counts in one line, the highest first."""
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.most_common())
