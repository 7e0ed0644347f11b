"""The Network stack: free when idle, and without inbound traffic."""

import pytest

from tests.templates import Resources, of_type, only


@pytest.mark.guarantee("Cheap when idle")
def test_network_has_no_nat_gateway_elastic_ip_or_interface_endpoint(network: Resources) -> None:
    types = {resource["Type"] for resource in network.values()}
    assert not types & {"AWS::EC2::NatGateway", "AWS::EC2::EIP"}
    _, endpoint = only(network, "AWS::EC2::VPCEndpoint")
    assert endpoint["VpcEndpointType"] == "Gateway"


def test_two_public_subnets_in_the_first_zones_have_a_route_to_s3(network: Resources) -> None:
    """A load balancer needs two. us-east-1e, the fifth, has no Graviton."""
    subnets = [subnet["Properties"] for subnet in of_type(network, "AWS::EC2::Subnet").values()]
    assert [subnet["AvailabilityZone"]["Fn::Select"][0] for subnet in subnets] == [0, 1]
    assert all(subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    _, endpoint = only(network, "AWS::EC2::VPCEndpoint")
    assert "s3" in str(endpoint["ServiceName"])
    assert len(endpoint["RouteTableIds"]) == 2
