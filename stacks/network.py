"""The network in which ECS and Batch start their hosts. The notes take it for granted; most idle bills come from it.

Two zones, because a load balancer asks for two, and public subnets only. What runs here gets a public address of its
own to fetch its image and to send its logs; who may speak to it is for its security group to say, and without an answer
nobody may. The alternative costs while nothing happens: a NAT gateway 4.5 US cents an hour, each interface endpoint
1 cent per zone (us-east-1), where the whole of this sandbox stays below 7. The way to S3 is a gateway endpoint: free.

For production: private subnets for everything but load balancers, a NAT gateway in each zone or endpoints for ECR,
logs and S3, flow logs, three zones.
"""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from stacks.support.cdk_nag import acknowledge


class NetworkStack(Stack):
    """A VPC in the first two zones of the region.

    vpc: public subnets, and no way in until a security group opens one
    """

    def __init__(self, scope: Construct, construct_id: str, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,  # the first two: us-east-1e, the fifth, has no Graviton
            nat_gateways=0,
            subnet_configuration=[ec2.SubnetConfiguration(name="Public", subnet_type=ec2.SubnetType.PUBLIC)],
            gateway_endpoints={"S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3)},
            # It would take a helper function to empty the default security group; here nothing is ever put into it.
            restrict_default_security_group=False,
        )
        acknowledge(self.vpc, VPC7="Flow logs of a sandbox would cost more to keep than anyone learns from them")
