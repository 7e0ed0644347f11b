"""Closed: no one reaches the service without the setting `allowed_cidr`, and only its addresses do with it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.compliance.network_exposure import EVERYONE, NO_ONE, exposures
from tests.templates import actions, as_list, read_templates, statements

_ALLOWED = "198.51.100.0/24"

_Templates = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def each_closed(each_assembly: Path) -> _Templates:
    return read_templates(each_assembly)


@pytest.fixture(scope="module")
def closed(assembly: Path) -> _Templates:
    return read_templates(assembly)


@pytest.fixture(scope="module")
def opened(synthesize: Callable[..., Path]) -> _Templates:
    return read_templates(synthesize(allowed_cidr=_ALLOWED))


def _callers(templates: _Templates) -> dict[tuple[str, str], set[str]]:
    """The callers of each exposed resource, by stack and logical id."""
    callers: dict[tuple[str, str], set[str]] = {}
    for stack, template in templates.items():
        for exposure in exposures(template):
            if exposure.caller not in NO_ONE:
                callers.setdefault((stack, exposure.resource), set()).add(exposure.caller)
    return callers


@pytest.mark.guarantee("Closed")
def test_no_resource_is_exposed_without_allowed_cidr(each_closed: _Templates) -> None:
    assert _callers(each_closed) == {}


@pytest.mark.guarantee("Closed")
def test_only_allowed_cidr_reaches_the_exposed_resources(opened: _Templates) -> None:
    callers = _callers(opened)
    assert {stack for stack, _ in callers} == {"Api", "Ecs", "Lightsail"}
    assert {resource: them for resource, them in callers.items() if them != {_ALLOWED}} == {}


def test_allowed_cidr_appears_elsewhere_only_in_conditions(closed: _Templates, opened: _Templates) -> None:
    """A condition on the source address narrows a permission."""
    assert _ALLOWED not in json.dumps(closed)
    for stack, template in opened.items():
        users = {name for name, resource in template["Resources"].items() if _ALLOWED in json.dumps(resource)}
        for name in users - {exposure.resource for exposure in exposures(template)}:
            properties = json.dumps(template["Resources"][name]["Properties"])
            assert properties.count(_ALLOWED) == properties.count('"aws:SourceIp"'), f"{stack}/{name}"


@pytest.mark.guarantee("Closed")
def test_only_port_80_is_open(opened: _Templates) -> None:
    ports = set()
    for template in opened.values():
        for resource in template["Resources"].values():
            properties = resource.get("Properties", {})
            separate = resource["Type"] == "AWS::EC2::SecurityGroupIngress"
            rules = [properties] if separate else properties.get("SecurityGroupIngress", [])
            rules = [rule for rule in rules if "SourceSecurityGroupId" not in rule]
            for rule in (*rules, *properties.get("Networking", {}).get("Ports", [])):
                ports.add((rule["FromPort"], rule["ToPort"]))
    assert ports == {(80, 80)}


def _presigned(templates: _Templates) -> list[dict[str, Any]]:
    """Permissions of the API function for objects. The holder of a presigned URL uses them."""
    internal = re.compile(r"/albums/\*/(jobs|manifest)\.json")  # which the function never signs
    return [
        statement
        for statement in statements(templates["Api"]["Resources"], "FunctionRole")
        if {"s3:GetObject", "s3:PutObject"} & actions([statement])
        and not all(internal.search(json.dumps(resource)) for resource in as_list(statement["Resource"]))
    ]


@pytest.mark.guarantee("Closed")
def test_presigned_urls_work_only_from_allowed_cidr(closed: _Templates, opened: _Templates) -> None:
    assert _presigned(closed) == []
    objects = {arn["Fn::Join"][1][-1] for it in _presigned(opened) for arn in as_list(it["Resource"])}
    assert objects == {"/uploads/*", "/*/*.webp", "/albums/*/album.pdf"}
    for statement in _presigned(opened):
        assert statement["Condition"] == {"IpAddress": {"aws:SourceIp": _ALLOWED}}


def _statement(**parts: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*", **parts}
    return {"PolicyDocument": {"Statement": [statement]}}


_PORT = {"Cidrs": ["192.0.2.1/32"], "Ipv6Cidrs": ["2001:db8::1/128"]}
_SERVICE = {"Service": "events.amazonaws.com"}


@pytest.mark.parametrize(
    ("resource_type", "properties", "caller"),
    [
        ("EC2::SecurityGroup", {"SecurityGroupIngress": [{"CidrIp": "0.0.0.0/0"}]}, "0.0.0.0/0"),
        ("EC2::SecurityGroup", {"SecurityGroupIngress": [{"CidrIpv6": "::/0"}]}, "::/0"),
        ("EC2::SecurityGroupIngress", {"CidrIp": "10.0.0.0/8"}, "10.0.0.0/8"),
        ("EC2::SecurityGroupIngress", {"SourcePrefixListId": "pl-1"}, "pl-1"),
        ("EC2::SecurityGroupIngress", {"SourceSecurityGroupId": "sg-1"}, None),
        ("ElasticLoadBalancingV2::LoadBalancer", {}, EVERYONE),
        ("Lightsail::Instance", {}, EVERYONE),
        ("Lightsail::Instance", {"Networking": {"Ports": []}}, EVERYONE),
        ("Lightsail::Instance", {"Networking": {"Ports": [{"Cidrs": ["192.0.2.1/32"]}]}}, EVERYONE),
        ("Lightsail::Instance", {"Networking": {"Ports": [_PORT | {"CidrListAliases": ["ssh"]}]}}, "ssh"),
        ("Lightsail::Instance", {"Networking": {"Ports": [_PORT]}}, None),
        ("Lambda::Permission", {"Principal": "*"}, EVERYONE),
        ("Lambda::Permission", {"Principal": "444455556666"}, "444455556666"),
        ("Lambda::Permission", {"Principal": "s3.amazonaws.com"}, "s3.amazonaws.com"),
        ("Lambda::Permission", {"Principal": "s3.amazonaws.com", "SourceArn": "arn"}, None),
        ("Lambda::Url", {"AuthType": "AWS_IAM"}, EVERYONE),
        ("ApiGateway::RestApi", {}, EVERYONE),
        ("SQS::QueuePolicy", _statement(), EVERYONE),
        ("SQS::QueuePolicy", _statement(Principal={"AWS": ["*"]}), EVERYONE),
        ("SQS::QueuePolicy", _statement(Principal={"AWS": "arn:aws:iam::444455556666:root"}), "444455556666"),
        ("SQS::QueuePolicy", _statement(Principal={"AWS": {"Fn::GetAtt": ["Role", "Arn"]}}), None),
        ("SQS::QueuePolicy", _statement(Principal={"CanonicalUser": "abc"}), "CanonicalUser abc"),
        ("SQS::QueuePolicy", _statement(Effect="Deny"), None),
        ("SQS::QueuePolicy", _statement(Principal=_SERVICE), "events.amazonaws.com"),
        (
            "SQS::QueuePolicy",
            _statement(Principal=_SERVICE, Condition={"ArnLikeIfExists": {"aws:SourceArn": "arn"}}),
            "events.amazonaws.com",
        ),
        ("SQS::QueuePolicy", _statement(Principal=_SERVICE, Condition={"ArnLike": {"aws:SourceArn": "arn"}}), None),
        ("SQS::QueuePolicy", _statement(Condition={"IpAddress": {"aws:SourceIp": ["1.2.3.4/32"]}}), "1.2.3.4/32"),
        ("SQS::QueuePolicy", _statement(Condition={"NotIpAddress": {"aws:SourceIp": "1.2.3.4/32"}}), EVERYONE),
        ("IAM::Role", {"AssumeRolePolicyDocument": _statement(Action="sts:AssumeRole")}, EVERYONE),
        ("IAM::Role", {"AssumeRolePolicyDocument": _statement(Action="sts:AssumeRole", Principal=_SERVICE)}, None),
    ],
)
def test_exposures_reports_each_way_to_reach_a_resource(
    resource_type: str, properties: dict[str, Any], caller: str | None
) -> None:
    found = exposures({"Resources": {"It": {"Type": f"AWS::{resource_type}", "Properties": properties}}})
    callers = {exposure.caller for exposure in found} - NO_ONE
    assert len(callers) == (0 if caller is None else 1)
    assert all(caller and caller in one for one in callers)


@pytest.mark.parametrize(("denied", "caller"), [("execute-api:Invoke", "1.2.3.4/32"), ("execute-api:Other", EVERYONE)])
def test_exposures_understands_a_deny_for_all_other_addresses(denied: str, caller: str) -> None:
    allow = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"}
    others = {"NotIpAddress": {"aws:SourceIp": "1.2.3.4/32"}}
    deny = {**allow, "Effect": "Deny", "Action": denied, "Condition": others}
    policy = {"Policy": {"Statement": [allow, deny]}}
    (found,) = exposures({"Resources": {"It": {"Type": "AWS::ApiGateway::RestApi", "Properties": policy}}})
    assert found.caller == caller
