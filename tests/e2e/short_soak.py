"""A short soak: a few dozen photos with every kind of fault. `make soak` runs it with a thousand photos."""

from local.sandbox import Sandbox
from tests.soak.run import soak
from tests.soak.workload import SoakSettings

_SETTINGS = SoakSettings(
    seed="a",
    photos=24,
    clients=8,
    changed_photos=12,
    error_rate=0.2,
    kill_rate=0.03,
    sweeps=2,
    duration=4,
    visibility_timeout=2,
    max_delay=2,
    timeout=400,
)


def run_short_soak(sandbox: Sandbox) -> None:
    """Run a soak in a sandbox with the stack Cron, and check that every kind of fault occurred."""
    report = soak(sandbox, _SETTINGS)
    assert report.errors.total() > 20
    for fault in ("duplicated events", "late events", "reordered events", "killed processes"):
        assert report.counts[fault], fault
    assert min(report.states["ready"], report.states["rejected"], report.states["deleted"]) > 0
