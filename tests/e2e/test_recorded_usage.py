"""Each action uses the billable units in `operations/cost/recorded_usage.json`."""

import pytest

from local.sandbox import Sandbox
from operations.cost.record import differences
from operations.cost.recorder import Recorder
from operations.cost.usage import RecordedUsage


@pytest.mark.usefixtures("no_photos")
def test_actions_use_the_recorded_units(sandbox: Sandbox) -> None:
    recorder = Recorder(sandbox)
    usage = recorder.record_uploads() | recorder.record_copies()
    assert "\n".join(differences(RecordedUsage.read(), usage, "lambda")) == ""
