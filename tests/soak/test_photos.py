"""Files that the clients of a soak upload."""

from photos.errors import PhotoRejected
from tests.soak.photos import expected_outcome, soak_images


def test_soak_images_include_every_rejection_and_have_distinct_thumbnails() -> None:
    outcomes = {name: expected_outcome(image) for name, image in soak_images().items()}
    rejected = {name: it.code for name, it in outcomes.items() if isinstance(it, PhotoRejected)}
    assert rejected == {
        "empty": "empty",
        "text": "not_a_photo",
        "SVG": "not_a_photo",
        "truncated": "broken",
        "invalid data after a valid signature": "broken",
        "too many pixels": "too_many_pixels",
    }
    accepted = [it for it in outcomes.values() if not isinstance(it, PhotoRejected)]
    assert len(accepted) > 10
    assert len({min(it.items()) for it in accepted}) == len(accepted)
