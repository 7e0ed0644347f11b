"""Closed: nobody gets in without the setting `allowed_cidr`, and only those addresses with it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.compliance.network_exposure import EVERYONE, NOBODY, exposures

_ALLOWED = "198.51.100.0/24"

_Templates = dict[str, dict[str, Any]]


def _templates(folder: Path) -> _Templates:
    return {file.name.split(".")[0]: json.loads(file.read_text()) for file in sorted(folder.glob("*.template.json"))}


@pytest.fixture(scope="module")
def closed(assembly: Path) -> _Templates:
    return _templates(assembly)


@pytest.fixture(scope="module")
def opened(synthesize: Callable[..., Path]) -> _Templates:
    return _templates(synthesize(allowed_cidr=_ALLOWED))


def _who(templates: _Templates) -> dict[str, set[str]]:
    """Who is let in, by `stack/logical id`."""
    found: dict[str, set[str]] = {}
    for stack, template in templates.items():
        for exposure in exposures(template):
            if exposure.who not in NOBODY:
                found.setdefault(f"{stack}/{exposure.where}", set()).add(exposure.who)
    return found


@pytest.mark.guarantee("Closed")
def test_without_allowed_cidr_nobody_gets_in(closed: _Templates) -> None:
    assert _who(closed) == {}


@pytest.mark.guarantee("Closed")
def test_with_allowed_cidr_those_addresses_get_in_and_no_others(opened: _Templates) -> None:
    found = _who(opened)
    assert {stack for stack, _, _ in (where.partition("/") for where in found)} == {"Api", "Ecs", "Lightsail"}
    assert {where: who for where, who in found.items() if who != {_ALLOWED}} == {}


def test_they_get_in_where_nobody_did_and_nothing_else_opens(closed: _Templates, opened: _Templates) -> None:
    assert _ALLOWED not in json.dumps(closed)
    for stack, template in opened.items():
        mentioned = {name for name, found in template["Resources"].items() if _ALLOWED in json.dumps(found)}
        for name in mentioned - {exposure.where for exposure in exposures(template)}:
            # A condition on the address narrows what a role may do.
            conditions = json.dumps(template["Resources"][name]["Properties"])
            assert conditions.count(_ALLOWED) == conditions.count('"aws:SourceIp"'), f"{stack}/{name}"


@pytest.mark.guarantee("Closed")
def test_only_the_port_of_the_website_is_open(opened: _Templates) -> None:
    ports = []
    for template in opened.values():
        for resource in template["Resources"].values():
            properties = resource.get("Properties", {})
            own = resource["Type"] == "AWS::EC2::SecurityGroupIngress"
            rules = [properties] if own else properties.get("SecurityGroupIngress", [])
            ports += [(rule["FromPort"], rule["ToPort"]) for rule in rules if "SourceSecurityGroupId" not in rule]
            for port in properties.get("Networking", {}).get("Ports", []):
                ports.append((port["FromPort"], port["ToPort"]))
    assert {*ports} == {(80, 80)}


def _signed(templates: _Templates) -> list[dict[str, Any]]:
    """What the API's function may do with photos and albums: whoever holds a link of its does it as that function."""
    statements = [
        statement
        for resource in templates["Api"]["Resources"].values()
        if resource["Type"] == "AWS::IAM::Policy" and "FunctionRole" in json.dumps(resource["Properties"]["Roles"])
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]
    ]
    of_objects = [it for it in statements if {"s3:GetObject", "s3:PutObject"} & {*_listed(it["Action"])}]
    own = re.compile(r"/albums/\*/(jobs|manifest)\.json")  # of orders, which it never signs
    return [it for it in of_objects if not all(own.search(json.dumps(where)) for where in _listed(it["Resource"]))]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_links_hold_from_the_allowed_addresses_only(opened: _Templates) -> None:
    signed = _signed(opened)
    assert signed
    for statement in signed:
        assert statement["Condition"] == {"IpAddress": {"aws:SourceIp": _ALLOWED}}


def test_without_allowed_cidr_no_link_holds(closed: _Templates) -> None:
    assert _signed(closed) == []


def _statement(**parts: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*", **parts}
    return {"PolicyDocument": {"Statement": [statement]}}


_PORT = {"Cidrs": ["192.0.2.1/32"], "Ipv6Cidrs": ["2001:db8::1/128"]}
_SERVICE = {"Service": "events.amazonaws.com"}


@pytest.mark.parametrize(
    ("resource_type", "properties", "who"),
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
def test_every_way_in_is_seen(resource_type: str, properties: dict[str, Any], who: str | None) -> None:
    found = exposures({"Resources": {"It": {"Type": f"AWS::{resource_type}", "Properties": properties}}})
    seen = {exposure.who for exposure in found} - NOBODY
    assert len(seen) == (0 if who is None else 1)
    assert all(who and who in one for one in seen)


@pytest.mark.parametrize(("denied", "who"), [("execute-api:Invoke", "1.2.3.4/32"), ("execute-api:Other", EVERYONE)])
def test_allowing_everyone_and_denying_all_but_some_lets_those_in(denied: str, who: str) -> None:
    allow = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"}
    others = {"NotIpAddress": {"aws:SourceIp": "1.2.3.4/32"}}
    deny = {**allow, "Effect": "Deny", "Action": denied, "Condition": others}
    policy = {"Policy": {"Statement": [allow, deny]}}
    (found,) = exposures({"Resources": {"It": {"Type": "AWS::ApiGateway::RestApi", "Properties": policy}}})
    assert found.who == who
