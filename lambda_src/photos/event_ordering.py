"""Event ordering: a stale event never overwrites what a newer event of the same photo wrote.

Amazon SQS delivers messages at least once and in any order. Amazon S3 puts a `sequencer` into each event, which
increases from one event of an object key to the next ("Event message structure" in the Amazon S3 User Guide:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html).

The catalogue item of a photo stores the sequencer of the upload that it describes. Every write that follows an event
carries the condition `NOT_STALE`, which DynamoDB evaluates and applies as one step. This one conditional write decides
which upload is current, however many handlers run at the same time (`Catalogue._write` and `Catalogue.remove`). The
objects need no such rule: the key of a thumbnail names its upload (`photos/keys.py`), so uploads never share an object.

A deletion removes the item and its sequencer. A stale upload event that follows finds no original, and writes nothing.

Test: `tests/lambda_src/photos/test_event_ordering.py`
"""

from dataclasses import dataclass

# Equality is allowed: a duplicate event writes the same item again.
NOT_STALE = "attribute_not_exists(sequencer) OR sequencer <= :sequencer"

# S3 compares sequencers as text, the shorter one padded with zeros on the right. Those of today have 16 to 18 digits.
_SEQUENCER_LENGTH = 32


@dataclass(frozen=True)
class Upload:
    """One version of a photo: the content of an object key between two uploads.

    Attributes:
        etag: ETag of the original, without quotes.
        sequencer: Sequencer of the S3 event of this upload. Empty if the event is unknown. The sweep requeues a photo
            with the last sequencer that the catalogue knows.
    """

    etag: str
    sequencer: str

    @property
    def padded_sequencer(self) -> str:
        """The sequencer as the catalogue stores and compares it."""
        return pad_sequencer(self.sequencer)


def pad_sequencer(sequencer: str) -> str:
    """Pad a sequencer to a fixed length, so that text order is the order of events."""
    return sequencer.upper().ljust(_SEQUENCER_LENGTH, "0")
