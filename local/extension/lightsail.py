"""Amazon Lightsail in CloudFormation, which the emulator lacks.

Emulated: what CloudFormation checks. Names are unique, a new name creates a new instance, and a static IP attaches only
to an existing instance. Not emulated: the instance. No server starts, and the static IP leads nowhere.
"""

from local.extension.cloudformation import Properties, register

# An address that is reserved for documentation (RFC 5737), so that it belongs to no one.
_ADDRESS = "203.0.113.80"

_instances: set[str] = set()
_static_ips: set[str] = set()


def extend() -> None:
    """Register both resource types."""
    register(
        "AWS::Lightsail::Instance",
        create=lambda _, props: (_add(_instances, props["InstanceName"]), {}),
        update=lambda name, props: {},
        delete=lambda name, props: _instances.discard(name),
        replaced_by=["InstanceName", "BlueprintId", "BundleId", "AvailabilityZone"],
    )
    register(
        "AWS::Lightsail::StaticIp",
        create=_create_static_ip,
        update=lambda name, props: _attach(props),
        delete=lambda name, props: _static_ips.discard(name),
        replaced_by=["StaticIpName"],
    )


def _create_static_ip(_name: str, props: Properties) -> tuple[str, Properties]:
    attributes = _attach(props)
    return _add(_static_ips, props["StaticIpName"]), attributes


def _add(names: set[str], name: str) -> str:
    if name in names:
        raise ValueError(f"Some names are already in use: {name}")
    names.add(name)
    return name


def _attach(props: Properties) -> Properties:
    instance = props.get("AttachedTo")
    if instance is not None and instance not in _instances:
        raise ValueError(f"The Instance does not exist: {instance}")
    return {"IpAddress": _ADDRESS}
