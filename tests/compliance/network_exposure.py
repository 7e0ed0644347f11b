"""Network exposure of a template: every way in which a caller outside the account can reach its resources."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.templates import as_list

EVERYONE = "everyone"

# Documentation addresses (RFC 5737 and RFC 3849), which send no packets.
NO_ONE = {"192.0.2.1/32", "2001:db8::1/128"}

# Types that are public by default, in ways that `exposures` does not analyze.
_PUBLIC_TYPES = (
    "AWS::Amplify::",
    "AWS::ApiGatewayV2::Api",
    "AWS::AppRunner::",
    "AWS::AppSync::",
    "AWS::CloudFront::",
    "AWS::Cognito::",
    "AWS::EC2::ClientVpnEndpoint",
    "AWS::EC2::Instance",
    "AWS::EC2::NetworkInterface",
    "AWS::ElasticLoadBalancing::",
    "AWS::GlobalAccelerator::",
    "AWS::Lambda::Url",
    "AWS::Lightsail::Bucket",
    "AWS::Lightsail::Container",
    "AWS::Lightsail::Database",
    "AWS::Lightsail::Distribution",
    "AWS::Lightsail::LoadBalancer",
    "AWS::Transfer::",
)


@dataclass(frozen=True)
class Exposure:
    """A resource that is reachable from outside the account.

    Attributes:
        resource: Logical id.
        caller: A CIDR block, an AWS principal, or EVERYONE.
    """

    resource: str
    caller: str


def exposures(template: dict[str, Any]) -> set[Exposure]:
    """Return all exposures of a template. Its own roles and security groups do not count as callers."""
    return {
        Exposure(name, caller)
        for name, resource in template["Resources"].items()
        for caller in _callers(resource["Type"], resource.get("Properties", {}))
    }


def _callers(resource_type: str, properties: dict[str, Any]) -> Iterator[str]:
    if resource_type.startswith(_PUBLIC_TYPES):
        yield EVERYONE
    match resource_type:
        case "AWS::EC2::SecurityGroup":
            for rule in properties.get("SecurityGroupIngress", []):
                yield from _callers_of_rule(rule)
        case "AWS::EC2::SecurityGroupIngress":
            yield from _callers_of_rule(properties)
        case "AWS::ElasticLoadBalancingV2::LoadBalancer" if not properties.get("SecurityGroups"):
            yield EVERYONE  # the default security group of the VPC, which other stacks can change
        case "AWS::Lightsail::Instance":
            yield from _callers_of_ports(properties.get("Networking", {}).get("Ports", []))
        case "AWS::Lambda::Permission":
            bounds = {name for name in ("SourceArn", "SourceAccount") if name in properties}
            yield from _callers_of_principal(properties["Principal"], bounded=bool(bounds))
        case "AWS::ApiGateway::RestApi" if "Policy" not in properties:
            yield EVERYONE
    for statements in _policies(properties):
        yield from _callers_of_policy(statements)


def _callers_of_rule(rule: dict[str, Any]) -> Iterator[str]:
    if "SourceSecurityGroupId" not in rule:
        yield str(rule.get("CidrIp") or rule.get("CidrIpv6") or rule.get("SourcePrefixListId") or EVERYONE)


def _callers_of_ports(ports: list[dict[str, Any]]) -> Iterator[str]:
    if not ports:
        yield EVERYONE
    for port in ports:
        ranges = [*port.get("Cidrs", []), *port.get("Ipv6Cidrs", []), *port.get("CidrListAliases", [])]
        yield from ranges or [EVERYONE]
        if not port.get("Ipv6Cidrs"):
            yield EVERYONE  # Lightsail opens a port to all of IPv6 unless ranges are given


def _policies(value: Any) -> Iterator[list[dict[str, Any]]]:
    """Yield the statements of each policy with principals, at any depth: of buckets, queues, roles, and APIs."""
    if isinstance(value, dict):
        statements = as_list(value.get("Statement", []))
        if any("Principal" in statement or "NotPrincipal" in statement for statement in statements):
            yield statements
        for inner in value.values():
            yield from _policies(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _policies(inner)


def _callers_of_policy(statements: list[dict[str, Any]]) -> Iterator[str]:
    for statement in statements:
        if statement["Effect"] == "Deny":
            continue
        if "NotPrincipal" in statement:
            yield EVERYONE
            continue
        conditions = statement.get("Condition", {})
        ranges = as_list(conditions.get("IpAddress", {}).get("aws:SourceIp", []))
        ranges = ranges or _cidrs_exempt_from_deny(statement, statements)
        if ranges:
            yield from map(str, ranges)
            continue
        actions = as_list(statement["Action"])
        # Only services assume roles here, for their own resources.
        bounded = all(action == "sts:AssumeRole" for action in actions) or any(
            key in ("aws:SourceArn", "aws:SourceAccount")
            for operator, tested in conditions.items()
            if not operator.endswith("IfExists")
            for key in tested
        )
        principal = statement["Principal"]
        for kind, names in (principal if isinstance(principal, dict) else {"AWS": principal}).items():
            for name in as_list(names):
                yield from _callers_of_principal(
                    name if kind in ("AWS", "Service") else f"{kind} {name}", bounded=bounded
                )


def _cidrs_exempt_from_deny(allowed: dict[str, Any], statements: list[dict[str, Any]]) -> list[Any]:
    """Return the CIDR blocks that a matching Deny statement of the same policy exempts."""
    for statement in statements:
        same = all(statement.get(part) == allowed.get(part) for part in ("Principal", "Action", "Resource"))
        condition = statement.get("Condition", {})
        if statement["Effect"] == "Deny" and same and list(condition) == ["NotIpAddress"]:
            return as_list(condition["NotIpAddress"].get("aws:SourceIp", []))
    return []


def _callers_of_principal(principal: Any, *, bounded: bool) -> Iterator[str]:
    """Yield the principal if it is external. `bounded`: a condition names this account or one of its resources."""
    if isinstance(principal, dict):
        return  # a reference to a role in the template
    if principal == "*":
        yield EVERYONE
    elif not principal.endswith(".amazonaws.com") or not bounded:
        yield principal
