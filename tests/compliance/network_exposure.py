"""Whom a template lets in: every way by which someone outside the account could reach something of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

EVERYONE = "everyone"

# What stands for nobody: addresses of documentation (RFC 5737 and RFC 3849), from which nothing ever comes.
NOBODY = {"192.0.2.1/32", "2001:db8::1/128"}

# What anyone may call unless told otherwise, in ways that `exposures` does not know how to read.
_OPEN_BY_NATURE = (
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
    """Somewhere to come in.

    where: logical id of the resource
    who: an address range, a principal of AWS, or EVERYONE
    """

    where: str
    who: str


def exposures(template: dict[str, Any]) -> set[Exposure]:
    """All of a template. What belongs to the same template (its roles and security groups) is not outside."""
    return {
        Exposure(name, who)
        for name, resource in template["Resources"].items()
        for who in _let_in(resource["Type"], resource.get("Properties", {}))
    }


def _let_in(resource_type: str, properties: dict[str, Any]) -> Iterator[str]:
    if resource_type.startswith(_OPEN_BY_NATURE):
        yield EVERYONE
    match resource_type:
        case "AWS::EC2::SecurityGroup":
            for rule in properties.get("SecurityGroupIngress", []):
                yield from _by_rule(rule)
        case "AWS::EC2::SecurityGroupIngress":
            yield from _by_rule(properties)
        case "AWS::ElasticLoadBalancingV2::LoadBalancer" if not properties.get("SecurityGroups"):
            yield EVERYONE  # the default group of the VPC, which anyone may change
        case "AWS::Lightsail::Instance":
            yield from _by_lightsail(properties.get("Networking", {}).get("Ports", []))
        case "AWS::Lambda::Permission":
            bounds = {name for name in ("SourceArn", "SourceAccount") if name in properties}
            yield from _by_principal(properties["Principal"], bounded=bool(bounds))
        case "AWS::ApiGateway::RestApi" if "Policy" not in properties:
            yield EVERYONE
    for statements in _policies(properties):
        yield from _by_policy(statements)


def _by_rule(rule: dict[str, Any]) -> Iterator[str]:
    if "SourceSecurityGroupId" not in rule:
        yield str(rule.get("CidrIp") or rule.get("CidrIpv6") or rule.get("SourcePrefixListId") or EVERYONE)


def _by_lightsail(ports: list[dict[str, Any]]) -> Iterator[str]:
    if not ports:
        yield EVERYONE
    for port in ports:
        ranges = [*port.get("Cidrs", []), *port.get("Ipv6Cidrs", []), *port.get("CidrListAliases", [])]
        yield from ranges or [EVERYONE]
        if not port.get("Ipv6Cidrs"):
            yield EVERYONE  # Lightsail opens to all of IPv6 what names none of it


def _policies(value: Any) -> Iterator[list[dict[str, Any]]]:
    """Every list of policy statements with principals, however deep: of buckets, queues, roles, an API …"""
    if isinstance(value, dict):
        statements = value.get("Statement", [])
        statements = statements if isinstance(statements, list) else [statements]
        if any("Principal" in statement or "NotPrincipal" in statement for statement in statements):
            yield statements
        for inner in value.values():
            yield from _policies(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _policies(inner)


def _by_policy(statements: list[dict[str, Any]]) -> Iterator[str]:
    for statement in statements:
        if statement["Effect"] == "Deny":
            continue
        if "NotPrincipal" in statement:
            yield EVERYONE
            continue
        conditions = statement.get("Condition", {})
        ranges = _listed(conditions.get("IpAddress", {}).get("aws:SourceIp")) or _all_but(statement, statements)
        if ranges:
            yield from map(str, ranges)
            continue
        actions = _listed(statement["Action"])
        # Roles are assumed by services for their own resources here, and no other principal.
        bounded = all(action == "sts:AssumeRole" for action in actions) or any(
            key in ("aws:SourceArn", "aws:SourceAccount")
            for operator, tested in conditions.items()
            if not operator.endswith("IfExists")
            for key in tested
        )
        principal = statement["Principal"]
        for kind, names in (principal if isinstance(principal, dict) else {"AWS": principal}).items():
            for name in _listed(names):
                yield from _by_principal(name if kind in ("AWS", "Service") else f"{kind} {name}", bounded=bounded)


def _all_but(allowed: dict[str, Any], statements: list[dict[str, Any]]) -> list[Any]:
    """The ranges outside of which the same policy denies what this statement allows."""
    for statement in statements:
        same = all(statement.get(part) == allowed.get(part) for part in ("Principal", "Action", "Resource"))
        condition = statement.get("Condition", {})
        if statement["Effect"] == "Deny" and same and list(condition) == ["NotIpAddress"]:
            return _listed(condition["NotIpAddress"].get("aws:SourceIp"))
    return []


def _by_principal(principal: Any, *, bounded: bool) -> Iterator[str]:
    """bounded: a service may act only for this account, or for a resource that is named."""
    if isinstance(principal, dict):
        return  # a reference: a role of ours
    if principal == "*":
        yield EVERYONE
    elif not principal.endswith(".amazonaws.com") or not bounded:
        yield principal


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
