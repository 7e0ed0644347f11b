"""A short soak test of the default compute. `deployments/test_thumbnails_on.py` runs it on the others."""

import pytest

from local.sandbox import Sandbox
from tests.e2e.short_soak import run_short_soak


@pytest.mark.guarantee("Loses no photo")
def test_no_photo_is_lost_despite_faults(sandbox: Sandbox, delete_photos_afterwards: None) -> None:
    run_short_soak(sandbox)
