"""The Lightsail stack: who reaches the server, and which changes replace it."""

import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk.assertions import Template

from stacks.lightsail import LightsailStack
from tests.templates import only, read_resources, read_template


def _server(allowed_cidr: str | None = None, api: bool = False) -> dict[str, Any]:
    app = App()
    api_url = None
    if api:
        rest_api = apigateway.RestApi(Stack(app, "Api"), "RestApi", cloud_watch_role=False)
        rest_api.root.add_method("GET")
        api_url = rest_api.url
    stack = LightsailStack(app, "Lightsail", stack_name="x-Lightsail", allowed_cidr=allowed_cidr, api_url=api_url)
    return only(Template.from_stack(stack).to_json()["Resources"], "AWS::Lightsail::Instance")[1]


@pytest.mark.guarantee("Closed")
def test_server_accepts_only_http_from_allowed_cidr() -> None:
    (port,) = _server("198.51.100.7/32")["Networking"]["Ports"]
    assert port == {
        "Protocol": "tcp",
        "FromPort": 80,
        "ToPort": 80,
        "Cidrs": ["198.51.100.7/32"],
        "Ipv6Cidrs": ["2001:db8::1/128"],
    }


def test_server_is_small_and_has_daily_snapshots() -> None:
    server = _server()
    assert "nano" in str(server["BundleId"])
    assert [add_on["AddOnType"] for add_on in server["AddOns"]] == ["AutoSnapshot"]


def test_website_url_is_the_static_ip_address_of_the_server(assembly: Path) -> None:
    resources = read_resources(assembly, "Lightsail")
    address, properties = only(resources, "AWS::Lightsail::StaticIp")
    assert resources[properties["AttachedTo"]["Ref"]]["Type"] == "AWS::Lightsail::Instance"
    url = read_template(assembly, "Lightsail")["Outputs"]["WebsiteUrl"]["Value"]
    assert url == {"Fn::Join": ["", ["http://", {"Fn::GetAtt": [address, "IpAddress"]}]]}


def test_new_page_or_api_replaces_the_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = [_server()["InstanceName"], _server(api=True)["InstanceName"]]
    (tmp_path / "index.html").write_text("another page")
    monkeypatch.setattr("stacks.lightsail._PAGE", tmp_path)
    names.append(_server()["InstanceName"])
    assert len(set(names)) == 3
    assert all(re.fullmatch(r"x-Lightsail-[0-9a-f]{8}", name) for name in names)


@pytest.mark.parametrize("api", [False, True])
def test_unchanged_page_keeps_the_server(api: bool) -> None:
    assert _server(api=api) == _server(api=api)


def test_new_allowed_cidr_keeps_the_server() -> None:
    before, after = _server(), _server("198.51.100.0/24")
    assert before.pop("Networking") != after.pop("Networking")
    assert before == after


def test_page_receives_the_url_of_the_api() -> None:
    before, *_, after = _server(api=True)["UserData"]["Fn::Join"][1]
    assert before.endswith('{"api_url": "https://')
    assert after.startswith('/"}\n')
