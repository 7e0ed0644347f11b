"""Probes of all roles."""

from types import ModuleType

from tests.permissions.probe import Probe
from tests.permissions.probes import alarms, api, batch, ecs, expiry, functions, images, sweep, thumbnails, workers


def _probes(*modules: ModuleType) -> list[Probe]:
    return [value for module in modules for value in vars(module).values() if isinstance(value, Probe)]


# For each permission, the report names the first probe that uses it, so the most informative probes come first.
PROBES = _probes(thumbnails, api, sweep, batch, ecs, images, functions, alarms, expiry)

# Of what consumes the upload queue, and of the stack Workers.
THUMBNAIL_PROBES = _probes(thumbnails)
WORKER_PROBES = _probes(thumbnails, workers)
