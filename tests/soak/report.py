"""What was done to the service, in numbers."""

from collections import Counter
from dataclasses import dataclass, field

# Of all ways in which calls fail, those that no soak may lack.
_KINDS = ("SlowDown", "InternalError", "time-out, but done", "connection reset")


@dataclass
class Happened:
    """What was done, and what was found.

    events: of S3; twice, late: so many of them came so; overtaking: before an earlier one of the same photo
    calls: of the functions; faults: those that failed, by how; kills: of their processes
    acting_sweeps: those of the sweeps that took whatever was there for old
    dead: messages in the dead-letter queue
    states: photos in the end
    """

    events: int = 0
    twice: int = 0
    late: int = 0
    overtaking: int = 0
    calls: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    sweeps: int = 0
    acting_sweeps: int = 0
    dead: int = 0
    states: Counter[str] = field(default_factory=Counter)

    @property
    def delivery(self) -> str:
        """How the events came."""
        return (
            f"{self.events:,} events, {self.twice} of them sent twice, {self.late} late, {self.overtaking} before an "
            "earlier one of the same photo"
        )

    @property
    def failures(self) -> str:
        """How the calls failed."""
        kinds = ", ".join(f"{name} {count}" for name, count in self.faults.most_common())
        return f"{self.faults.total():,} of {self.calls:,} calls of the functions failed: {kinds}"

    @property
    def interruptions(self) -> str:
        """What else got in the way."""
        return (
            f"{self.kills} processes of functions killed, {self.sweeps} sweeps started meanwhile, of which "
            f"{self.acting_sweeps} took everything for old"
        )

    @property
    def end(self) -> str:
        """What is there in the end."""
        return (
            f"{self.states['ready']:,} ready with the right thumbnails, {self.states['rejected']:,} rejected for the "
            f"right reason, {self.states['deleted']:,} deleted and gone; nothing else is there, no message in any queue"
        )

    def lacks(self) -> list[str]:
        """What did not go wrong as it has to for a proof. Both shares may differ by three tenths, as chance has it."""
        shares = (
            (self.faults.total(), self.calls, 0.2, "calls failed"),
            (self.twice, self.events, 0.1, "events were sent twice"),
        )
        some = {
            **{f"failure by {name}": self.faults[name] for name in _KINDS},
            "event late": self.late,
            "event out of order": self.overtaking,
            "function killed": self.kills,
            "sweep that acts": self.acting_sweeps,
            "dead letter": self.dead,
        }
        return [
            *(
                f"{count} of {total} {what}, which is not about {share:.0%}"
                for count, total, share, what in shares
                if not 0.7 * share * total < count < 1.3 * share * total
            ),
            *(f"no {what}" for what, count in some.items() if not count),
        ]
