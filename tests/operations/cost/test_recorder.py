"""Units of a photo and of a batch. `tests/e2e/test_recorded_usage.py` records."""

from operations.cost.recorder import separate


def test_batches_of_one_and_five_separate_the_units_of_a_photo_from_those_of_a_batch() -> None:
    one = {"sqs-requests": 3, "s3-put": 3, "log-bytes/Thumbnails": 700, "transfer-out-bytes": 101}
    five = {"sqs-requests": 7, "s3-put": 15, "log-bytes/Thumbnails": 1900, "transfer-out-bytes": 499}
    usage = separate(one, five)
    assert usage.each == {"sqs-requests": 1, "s3-put": 3, "log-bytes/Thumbnails": 300, "transfer-out-bytes": 100}
    assert usage.batch == {"sqs-requests": 2, "log-bytes/Thumbnails": 400}
