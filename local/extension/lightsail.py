"""Amazon Lightsail in CloudFormation, which the emulator lacks.

Emulated: what CloudFormation checks. Names are unique, a new name creates a new instance, and a static IP attaches only
to an existing instance. It does not move while it is attached; AWS does not document whether it would. Not emulated:
the instance. No server starts, and the static IP leads nowhere.
"""

from collections.abc import Container

from local.extension.cloudformation import Properties, register

# An address that is reserved for documentation (RFC 5737), so that it belongs to no one.
_ADDRESS = "203.0.113.80"

_instances: set[str] = set()
_static_ips: dict[str, str | None] = {}  # the instance of each


def extend() -> None:
    """Register both resource types."""
    register(
        "AWS::Lightsail::Instance",
        create=_create_instance,
        update=lambda name, props: {},
        delete=lambda name, props: _instances.discard(name),
        replaced_by=["InstanceName", "BlueprintId", "BundleId", "AvailabilityZone"],
    )
    register(
        "AWS::Lightsail::StaticIp",
        create=_create_static_ip,
        update=_attach,
        delete=lambda name, props: _static_ips.pop(name, None),
        replaced_by=["StaticIpName"],
    )


def _create_instance(_name: str, props: Properties) -> tuple[str, Properties]:
    name = _unused(props["InstanceName"], _instances)
    _instances.add(name)
    return name, {}


def _create_static_ip(_name: str, props: Properties) -> tuple[str, Properties]:
    name = _unused(props["StaticIpName"], _static_ips)
    return name, _attach(name, props)


def _unused(name: str, names: Container[str]) -> str:
    if name in names:
        raise ValueError(f"Some names are already in use: {name}")
    return name


def _attach(name: str, props: Properties) -> Properties:
    instance, current = props.get("AttachedTo"), _static_ips.get(name)
    if instance is not None and instance not in _instances:
        raise ValueError(f"The Instance does not exist: {instance}")
    if current in _instances and instance not in (None, current):
        raise ValueError(f"The static IP {name} is attached to {current}")
    _static_ips[name] = instance
    return {"IpAddress": _ADDRESS}
