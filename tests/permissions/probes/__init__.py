"""The work of all roles."""

from tests.permissions.probes import alarms, api, batch, ecs, functions, images, sweep, thumbnails
from tests.permissions.trial import Probe

# The first that used a right is the first to be done without it: what tells a reader most comes first.
PROBES = [
    found
    for module in (thumbnails, api, sweep, batch, ecs, images, functions, alarms)
    for found in vars(module).values()
    if isinstance(found, Probe)
]
