"""The Lightsail stack: who reaches the server, and which changes replace it."""

import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk.assertions import Template

from stacks.lightsail import LightsailStack
from stacks.support.shared_resources import GalleryUrls
from tests.templates import only, read_resources, read_template


def _server(stage: str = "v1") -> dict[str, Any]:
    app = App()
    rest_api = apigateway.RestApi(
        Stack(app, "Api"), "RestApi", cloud_watch_role=False, deploy_options=apigateway.StageOptions(stage_name=stage)
    )
    rest_api.root.add_method("GET")
    urls = GalleryUrls(rest_api.url, "https://originals.example", "https://thumbnails.example")
    stack = LightsailStack(app, "Lightsail", stack_name="x-Lightsail", allowed_cidr=None, urls=urls)
    return only(Template.from_stack(stack).to_json()["Resources"], "AWS::Lightsail::Instance")[1]


def test_website_url_is_the_static_ip_address_of_the_server(assembly: Path) -> None:
    resources = read_resources(assembly, "Lightsail")
    address, properties = only(resources, "AWS::Lightsail::StaticIp")
    assert resources[properties["AttachedTo"]["Ref"]]["Type"] == "AWS::Lightsail::Instance"
    url = read_template(assembly, "Lightsail")["Outputs"]["WebsiteUrl"]["Value"]
    assert url == {"Fn::Join": ["", ["http://", {"Fn::GetAtt": [address, "IpAddress"]}]]}


def test_new_instance_gets_a_new_address(assembly: Path) -> None:
    """Nothing documents that Lightsail moves an address that is attached."""
    resources = read_resources(assembly, "Lightsail")
    _, server = only(resources, "AWS::Lightsail::Instance")
    assert only(resources, "AWS::Lightsail::StaticIp")[1]["StaticIpName"] == server["InstanceName"]


def test_only_a_new_page_or_api_replaces_the_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server = _server()
    assert server == _server()
    assert [add_on["AddOnType"] for add_on in server["AddOns"]] == ["AutoSnapshot"]
    assert '{"api_url": "https://' in str(server["UserData"])
    (tmp_path / "index.html").write_text("another page")
    names = {server["InstanceName"], _server("v2")["InstanceName"]}
    monkeypatch.setattr("stacks.lightsail._GALLERY_PAGE", tmp_path)
    names.add(_server()["InstanceName"])
    assert len(names) == 3
    assert all(re.fullmatch(r"x-Lightsail-[0-9a-f]{8}", name) for name in names)
