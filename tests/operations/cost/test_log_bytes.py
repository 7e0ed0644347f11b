"""Log lines of the sandbox as CloudWatch would bill them."""

import pytest

from operations.cost.log_bytes import lambda_event


@pytest.mark.parametrize(
    ("line", "event"),
    [
        ("END RequestId: 1", ""),
        (
            "INFO:thumbnail:It's “done”: 1",
            '"level":"INFO","logger":"thumbnail","message":"It\'s “done”: 1","requestId"',
        ),
        ("START RequestId: 1 Version: $LATEST", '"type":"platform.start"'),
        ('{"_aws": {}}', '{"_aws": {}}'),  # printed
    ],
)
def test_log_lines_of_functions_count_as_the_json_that_lambda_writes(line: str, event: str) -> None:
    assert event in lambda_event(line)
    assert bool(lambda_event(line)) == bool(event)
