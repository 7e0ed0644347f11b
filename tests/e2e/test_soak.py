"""A short soak test: a few dozen photos with every kind of fault. `make soak` runs it with a thousand photos."""

import pytest

from local.sandbox import Sandbox
from tests.soak.run import soak
from tests.soak.workload import SoakSettings


@pytest.mark.guarantee("Loses no photo")
def test_no_photo_is_lost_despite_faults(sandbox: Sandbox, delete_photos_afterwards: None) -> None:
    settings = SoakSettings(
        seed="a",
        photos=24,
        clients=8,
        changed_photos=12,
        error_rate=0.2,
        kill_rate=0.03,
        sweeps=2,
        duration=5,
        visibility_timeout=4,
        max_delay=3,
        timeout=120,
    )
    report = soak(sandbox, settings)
    assert report.errors.total() > 20
    for fault in ("duplicated events", "late events", "reordered events", "killed processes"):
        assert report.counts[fault], fault
    assert min(report.states["ready"], report.states["rejected"], report.states["deleted"]) > 0
