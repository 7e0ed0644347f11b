"""Probes of all roles."""

from tests.permissions.probe import Probe
from tests.permissions.probes import alarms, api, batch, ecs, functions, images, sweep, thumbnails

# For each permission, the report names the first probe that uses it, so the most informative probes come first.
PROBES = [
    value
    for module in (thumbnails, api, sweep, batch, ecs, images, functions, alarms)
    for value in vars(module).values()
    if isinstance(value, Probe)
]
