"""The Lightsail stack: who reaches the server, and what makes it a new one."""

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk.assertions import Template

from stacks.lightsail import LightsailStack


def _template(allowed_cidr: str | None = None, api: bool = False) -> dict[str, Any]:
    app = App()
    api_url = None
    if api:
        rest_api = apigateway.RestApi(Stack(app, "Api"), "RestApi", cloud_watch_role=False)
        rest_api.root.add_method("GET")
        api_url = rest_api.url
    stack = LightsailStack(app, "Lightsail", stack_name="x-Lightsail", allowed_cidr=allowed_cidr, api_url=api_url)
    return dict(Template.from_stack(stack).to_json())


def _server(template: dict[str, Any]) -> dict[str, Any]:
    (server,) = [it for it in template["Resources"].values() if it["Type"] == "AWS::Lightsail::Instance"]
    properties: dict[str, Any] = server["Properties"]
    return properties


def test_http_from_the_allowed_network_and_nothing_else() -> None:
    (port,) = _server(_template("198.51.100.7/32"))["Networking"]["Ports"]
    assert port == {
        "Protocol": "tcp",
        "FromPort": 80,
        "ToPort": 80,
        "Cidrs": ["198.51.100.7/32"],
        "Ipv6Cidrs": ["2001:db8::1/128"],
    }


def test_a_small_server_with_an_operating_system_and_daily_snapshots() -> None:
    server = _server(_template())
    assert "nano" in str(server["BundleId"])
    assert server["BlueprintId"] == "ubuntu_24_04"
    assert [add_on["AddOnType"] for add_on in server["AddOns"]] == ["AutoSnapshot"]


def test_the_address_is_the_servers_and_the_output_leads_to_it(template: Callable[[str], Template]) -> None:
    lightsail = template("Lightsail").to_json()
    ((address, properties),) = [
        (name, it["Properties"])
        for name, it in lightsail["Resources"].items()
        if it["Type"] == "AWS::Lightsail::StaticIp"
    ]
    assert lightsail["Resources"][properties["AttachedTo"]["Ref"]]["Type"] == "AWS::Lightsail::Instance"
    assert lightsail["Outputs"]["WebsiteUrl"]["Value"] == {
        "Fn::Join": ["", ["http://", {"Fn::GetAtt": [address, "IpAddress"]}]]
    }


def test_another_page_or_api_makes_another_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = [_server(_template())["InstanceName"], _server(_template(api=True))["InstanceName"]]
    (tmp_path / "index.html").write_text("another page")
    monkeypatch.setattr("stacks.lightsail._PAGE", tmp_path)
    names.append(_server(_template())["InstanceName"])
    assert len(set(names)) == 3
    assert all(re.fullmatch(r"x-Lightsail-[0-9a-f]{8}", name) for name in names)


@pytest.mark.parametrize("api", [False, True])
def test_the_same_page_keeps_its_server(api: bool) -> None:
    first, second = (_server(_template(api=api)) for _ in range(2))
    assert first == second


def test_another_network_keeps_the_server() -> None:
    before, after = copy.deepcopy(_server(_template())), _server(_template("198.51.100.0/24"))
    assert before.pop("Networking") != after.pop("Networking")
    assert before == after


def test_the_page_is_told_the_url_of_the_api() -> None:
    script = _server(_template(api=True))["UserData"]
    assert "Fn::Join" in script
    before, *_, after = script["Fn::Join"][1]
    assert before.endswith('{"api_url": "https://')
    assert after.startswith('/"}\n')
