"""Lightsail, of which the emulator has nothing: on paper only. No server starts and no address leads anywhere.

What CloudFormation checks by itself is as on AWS: names are unique, a new name makes a new server, and an address is
attached to a server that exists.
"""

from typing import Any

from ministack.services.cloudformation.provisioners import _REPLACING_PROPERTIES, _RESOURCE_HANDLERS

# Of an example network (RFC 5737), so that it is nobody's.
_ADDRESS = "203.0.113.80"

_servers: set[str] = set()
_addresses: set[str] = set()


def extend() -> None:
    """Register both types."""
    _RESOURCE_HANDLERS["AWS::Lightsail::Instance"] = {
        "create": _create_server,
        "update": lambda name, old, new, stack_name: (name, {}),
        "delete": lambda name, props: _servers.discard(name),
    }
    _RESOURCE_HANDLERS["AWS::Lightsail::StaticIp"] = {
        "create": _create_address,
        "update": lambda name, old, new, stack_name: (name, _attached(new)),
        "delete": lambda name, props: _addresses.discard(name),
    }
    _REPLACING_PROPERTIES["AWS::Lightsail::Instance"] = ("InstanceName", "BlueprintId", "BundleId", "AvailabilityZone")
    _REPLACING_PROPERTIES["AWS::Lightsail::StaticIp"] = ("StaticIpName",)


def _create_server(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
    return _take(_servers, props["InstanceName"]), {}


def _create_address(logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
    attributes = _attached(props)
    return _take(_addresses, props["StaticIpName"]), attributes


def _take(names: set[str], name: str) -> str:
    if name in names:
        raise ValueError(f"Some names are already in use: {name}")
    names.add(name)
    return name


def _attached(props: dict[str, Any]) -> dict[str, str]:
    server = props.get("AttachedTo")
    if server is not None and server not in _servers:
        raise ValueError(f"The Instance does not exist: {server}")
    return {"IpAddress": _ADDRESS}
