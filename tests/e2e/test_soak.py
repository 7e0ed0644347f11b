"""The soak, short: everything goes wrong for some tens of photos, and none is lost. `make soak` has a thousand."""

import pytest

from local.sandbox import Sandbox
from tests.soak.run import soak
from tests.soak.storm import Storm


@pytest.mark.guarantee("Loses no photo")
def test_nothing_is_lost(sandbox: Sandbox, delete_photos_afterwards: None) -> None:
    storm = Storm("short", share=0.2, kill=0.03, sweeps=2, functions=4, spread=5, hidden=4, late=3, patience=120)
    happened = soak(sandbox, storm, photos=24, clients=8, again=12)
    # Something did go wrong.
    assert happened.faults.total() > 20
    assert min(happened.twice, happened.late, happened.overtaking, happened.kills) > 0
    assert happened.acting_sweeps == 2
    assert min(happened.states["ready"], happened.states["rejected"], happened.states["deleted"]) > 0
