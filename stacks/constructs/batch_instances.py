"""EC2 hosts for AWS Batch: bought on the Spot market, or on demand where that has none; none while no job waits."""

from aws_cdk import Stack
from aws_cdk import aws_batch as batch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.support.cdk_nag import acknowledge_wildcard

# Many pools of hosts to choose from, none of them large: Spot takes back fewer, and an idle rest costs little.
_TYPES = [f"{family}.{size}" for family in ("c6g", "c7g", "m6g", "m7g") for size in ("medium", "large")]

# What the ECS agent on a host calls, about its cluster and about itself (Service Authorization Reference, "Amazon
# Elastic Container Service"). The managed policy for it also allows to read all images and write all logs, which here
# is for the execution role of a job.
_AGENT = {
    "cluster": [
        "ecs:DeregisterContainerInstance",
        "ecs:RegisterContainerInstance",
        "ecs:SubmitAttachmentStateChanges",
        "ecs:SubmitContainerStateChange",
        "ecs:SubmitTaskStateChange",
    ],
    "container-instance": [
        "ecs:Poll",
        "ecs:StartTelemetrySession",
        "ecs:UpdateContainerInstancesState",  # a host that Spot takes back tells so
    ],
}


class BatchInstances(Construct):
    """Two compute environments with hosts of the same kind.

    max_spot_vcpus, max_on_demand_vcpus: of each
    environments: in the order in which a queue should try them
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, vpc: ec2.IVpc, max_spot_vcpus: int, max_on_demand_vcpus: int
    ) -> None:
        super().__init__(scope, construct_id)
        self._vpc = vpc
        self._role = self._role_of_hosts()
        self._template = ec2.LaunchTemplate(
            self,
            "Template",
            require_imdsv2=True,
            # Not beyond the host. A job is within: Batch gives its containers the host's network (Batch guide,
            # "Networking modes"), so they could ask for the host's role,
            # which may do what the agent of ECS does, in any cluster of the account.
            http_put_response_hop_limit=1,
            block_devices=[
                ec2.BlockDevice(
                    device_name="/dev/xvda",
                    volume=ec2.BlockDeviceVolume.ebs(
                        30, encrypted=True, volume_type=ec2.EbsDeviceVolumeType.GP3, delete_on_termination=True
                    ),
                )
            ],
        )
        self._security_group = ec2.SecurityGroup(
            self, "SecurityGroup", vpc=vpc, description="Hosts of Batch: no way in"
        )
        self.environments = [
            self._environment(
                "Spot",
                spot=True,
                strategy=batch.AllocationStrategy.SPOT_PRICE_CAPACITY_OPTIMIZED,
                max_vcpus=max_spot_vcpus,
            ),
            self._environment(
                "OnDemand",
                spot=False,
                strategy=batch.AllocationStrategy.BEST_FIT_PROGRESSIVE,
                max_vcpus=max_on_demand_vcpus,
            ),
        ]

    def _environment(
        self,
        construct_id: str,
        *,
        spot: bool,
        strategy: batch.AllocationStrategy,
        max_vcpus: int,
    ) -> batch.IComputeEnvironment:
        environment = batch.ManagedEc2EcsComputeEnvironment(
            self,
            construct_id,
            spot=spot,
            allocation_strategy=strategy,
            instance_types=[ec2.InstanceType(name) for name in _TYPES],
            use_optimal_instance_classes=False,  # those are x86
            images=[batch.EcsMachineImage(image_type=batch.EcsMachineImageType.ECS_AL2023)],
            launch_template=self._template,
            instance_role=self._role,
            security_groups=[self._security_group],
            minv_cpus=0,
            maxv_cpus=max_vcpus,
            vpc=self._vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
            # No name, and replaced rather than updated: few changes of an environment can be made in place
            # (aws-cdk issue 27054). No service role: the service-linked one, where a stack names it, makes an
            # environment that can neither work nor be deleted (20727).
            replace_compute_environment=True,
        )
        # Otherwise the first version for ever: Batch takes the default one, which CloudFormation never moves.
        element: batch.CfnComputeEnvironment = environment.node.default_child  # type: ignore[assignment]  # its L1
        element.add_property_override("ComputeResources.LaunchTemplate.Version", self._template.latest_version_number)
        environment.node.add_dependency(self._role)  # with its policy, by which hosts tell how their jobs end
        return environment

    def _role_of_hosts(self) -> iam.Role:
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
        stack = Stack.of(self)
        for kind, actions in _AGENT.items():
            resource = f"arn:{stack.partition}:ecs:{stack.region}:{stack.account}:{kind}/*"
            role.add_to_policy(iam.PolicyStatement(actions=actions, resources=[resource]))
        role.add_to_policy(iam.PolicyStatement(actions=["ecs:DiscoverPollEndpoint"], resources=["*"]))
        acknowledge_wildcard(role, "*", "ecs:DiscoverPollEndpoint asks for an address, before there is any resource")
        for kind in _AGENT:
            cluster = f"arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>:{kind}/*"
            acknowledge_wildcard(role, cluster, "Batch makes the clusters of its environments, and names them itself")
        return role
