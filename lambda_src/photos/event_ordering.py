"""The newest upload wins: an event that arrives late never replaces what a newer one wrote.

SQS delivers at least once and in no order. Amazon S3 gives each event of an object a `sequencer`, which
grows from one event of a key to the next (S3 User Guide, "Event message structure"). The catalogue keeps the
sequencer it speaks of, and each write to it holds this condition: one write decides, whatever ran beside it.
"""

from dataclasses import dataclass

# The events of a key compare by their sequencers, the shorter one padded with zeros on the right. Those of
# S3 have 16 to 18 characters.
_SEQUENCER_LENGTH = 32

# Equal is allowed: the same event delivered twice writes the same again.
NOT_STALE = "attribute_not_exists(sequencer) OR sequencer <= :sequencer"


@dataclass(frozen=True)
class Upload:
    """One version of a photo: what an object key held from one upload to the next.

    etag: of the original, without quotes
    sequencer: of the S3 event that announced it; empty where no event is known
    """

    etag: str
    sequencer: str

    @property
    def padded_sequencer(self) -> str:
        """The sequencer as the catalogue stores and compares it."""
        return pad_sequencer(self.sequencer)


def pad_sequencer(sequencer: str) -> str:
    """A sequencer made so long that text order is the order of events."""
    return sequencer.upper().ljust(_SEQUENCER_LENGTH, "0")
