"""The Network stack: cheap when idle, and no way in."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from aws_cdk.assertions import Template


@pytest.fixture(scope="module")
def network(template: Callable[[str], Template]) -> Template:
    return template("Network")


@pytest.mark.guarantee("Cheap when idle")
def test_it_costs_nothing_while_nothing_happens(network: Template) -> None:
    network.resource_count_is("AWS::EC2::NatGateway", 0)
    network.resource_count_is("AWS::EC2::EIP", 0)
    types = {endpoint["Properties"]["VpcEndpointType"] for endpoint in _endpoints(network)}
    assert types == {"Gateway"}


def test_two_zones_because_a_load_balancer_asks_for_two(network: Template) -> None:
    subnets = [subnet["Properties"] for subnet in network.find_resources("AWS::EC2::Subnet").values()]
    # The first two: us-east-1e, the fifth, has no Graviton.
    zones = [subnet["AvailabilityZone"]["Fn::Select"][0] for subnet in subnets]
    assert zones == [0, 1]
    assert all(subnet["MapPublicIpOnLaunch"] for subnet in subnets)


def test_every_subnet_has_a_way_to_s3_that_is_free(network: Template) -> None:
    (endpoint,) = _endpoints(network)
    assert "s3" in str(endpoint["Properties"]["ServiceName"])
    assert len(endpoint["Properties"]["RouteTableIds"]) == 2


def test_nobody_is_let_in(network: Template) -> None:
    network.resource_count_is("AWS::EC2::SecurityGroup", 0)
    network.resource_count_is("AWS::EC2::SecurityGroupIngress", 0)


def _endpoints(network: Template) -> list[Mapping[str, Any]]:
    return list(network.find_resources("AWS::EC2::VPCEndpoint").values())
