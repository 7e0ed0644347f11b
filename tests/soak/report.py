"""Counts of what happened during a soak."""

from collections import Counter
from dataclasses import dataclass, field

# Of all kinds of errors, those that must occur in every soak.
_REQUIRED_ERRORS = ("SlowDown", "InternalError", "timeout after execution", "connection reset")
_DUPLICATE_RATE = 0.1


@dataclass
class SoakReport:
    """What happened during a soak.

    Attributes:
        events: S3 events, of which so many were `duplicated`, `late`, or `reordered`.
        calls: AWS calls of the functions.
        errors: Failed calls by kind.
        kills: Killed processes.
        sweeps: Sweeps during fault injection, of which so many treated all objects as old (`sweeps_without_grace`).
        dead_letters: Messages in the dead-letter queue after fault injection.
        states: Photos by state at the end.
    """

    events: int = 0
    duplicated: int = 0
    late: int = 0
    reordered: int = 0
    calls: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    sweeps: int = 0
    sweeps_without_grace: int = 0
    dead_letters: int = 0
    states: Counter[str] = field(default_factory=Counter)

    @property
    def faults(self) -> list[str]:
        """Sentences about the faults so far."""
        kinds = ", ".join(f"{kind} {count}" for kind, count in self.errors.most_common())
        return [
            f"{self.events:,} events: {self.duplicated} duplicated, {self.late} late, {self.reordered} out of order",
            f"{self.errors.total():,} of {self.calls:,} AWS calls failed: {kinds}",
            f"{self.kills} processes killed, {self.sweeps} sweeps started, "
            f"{self.sweeps_without_grace} of them without a grace period",
        ]

    @property
    def result(self) -> str:
        """One sentence about the final state."""
        return (
            f"{self.states['ready']:,} photos ready with the expected thumbnails, {self.states['rejected']:,} rejected "
            f"with the expected code, {self.states['deleted']:,} deleted; no orphans, no messages in any queue"
        )

    def missing_faults(self, error_rate: float) -> list[str]:
        """Return which faults did not occur, or not at about their rate (±30 %, for chance)."""
        rates = (
            (self.errors.total(), self.calls, error_rate, "calls failed"),
            (self.duplicated, self.events, _DUPLICATE_RATE, "events were duplicated"),
        )
        required = {
            **{f"{kind} error": self.errors[kind] for kind in _REQUIRED_ERRORS},
            "late event": self.late,
            "reordered event": self.reordered,
            "killed process": self.kills,
            "sweep without a grace period": self.sweeps_without_grace,
            "message in the dead-letter queue": self.dead_letters,
        }
        return [
            *(
                f"{count} of {total} {what}, expected about {rate:.0%}"
                for count, total, rate, what in rates
                if not 0.7 * rate * total < count < 1.3 * rate * total
            ),
            *(f"no {fault}" for fault, count in required.items() if not count),
        ]
