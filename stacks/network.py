"""The network for ECS and Batch. The notes take it for granted, but a network can dominate the idle cost.

The VPC has public subnets in two Availability Zones, because a load balancer needs two. Tasks and instances have public
addresses to pull images and send logs; their security groups accept no traffic unless a rule allows it. The
alternatives cost money even while idle: a NAT gateway $0.045 per hour, an interface endpoint $0.01 per hour and
zone (us-east-1). This whole sandbox costs less than $0.08 per hour. The gateway endpoint for S3 is free.

For production, use private subnets for everything except load balancers, a NAT gateway in each zone or endpoints for
ECR, CloudWatch Logs, and S3, three zones, and flow logs.
"""

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from stacks.support.cdk_nag import acknowledge


class NetworkStack(Stack):
    """A VPC in the first two Availability Zones of the Region.

    Attributes:
        vpc: Has public subnets. No inbound traffic is allowed until a security group allows it.
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
            # True would add a custom resource that removes the rules of the default security group, which nothing
            # here uses.
            restrict_default_security_group=False,
        )
        acknowledge(self.vpc, VPC7="The cost of flow logs exceeds their value in a sandbox")
