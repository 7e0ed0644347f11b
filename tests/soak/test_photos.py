"""What the clients of a soak upload."""

from photos.errors import PhotoRejected
from tests.soak.photos import outcome, pictures


def test_there_are_real_ones_odd_ones_and_such_as_have_to_be_refused() -> None:
    outcomes = {name: outcome(body) for name, body in pictures().items()}
    refused = {name: it.code for name, it in outcomes.items() if isinstance(it, PhotoRejected)}
    assert refused == {
        "empty": "empty",
        "a text": "not_a_photo",
        "a drawing": "not_a_photo",
        "half a photo": "broken",
        "noise behind a good start": "broken",
        "too many pixels": "too_many_pixels",
    }
    accepted = [it for it in outcomes.values() if not isinstance(it, PhotoRejected)]
    assert len(accepted) > 10
    assert all(it.keys() == {256, 1024} for it in accepted)
    assert len({it[256] for it in accepted}) == len(accepted), "one cannot pass for another"
