"""The EC2 side of ECS: hosts that are ours to pay and keep, which a capacity provider adds and takes away."""

from typing import cast

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.support.cdk_nag import acknowledge, acknowledge_wildcard

# 1 GiB of memory: room for the old and the new task of a rollout beside the system and the agent of ECS.
_INSTANCE_TYPE = ec2.InstanceType.of(ec2.InstanceClass.T4G, ec2.InstanceSize.MICRO)

# GiB; the image of the system asks for no less.
_DISK = 30

# Where Docker finds a port for a container that leaves the choice to its host (ECS guide, "PortMapping").
_DYNAMIC_PORTS = ec2.Port.tcp_range(32768, 65535)


class EcsInstances(Construct):
    """One to two small Graviton hosts of a cluster, as its capacity provider.

    strategy: places a service's tasks on them
    """

    def __init__(self, scope: Construct, construct_id: str, *, cluster: ecs.Cluster) -> None:
        super().__init__(scope, construct_id)
        # Without a key pair and without a rule that lets anyone to port 22: nobody logs in.
        self._security_group = ec2.SecurityGroup(self, "SecurityGroup", vpc=cluster.vpc, description="Hosts of ECS")
        group = autoscaling.AutoScalingGroup(
            self,
            "Group",
            vpc=cluster.vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
            launch_template=self._template(self._role(cluster)),
            min_capacity=1,
            max_capacity=2,
        )
        acknowledge(group, AS3="Nobody needs to hear of each host that comes or goes")
        provider = ecs.AsgCapacityProvider(
            self,
            "Provider",
            auto_scaling_group=group,
            enable_managed_scaling=True,
            # Both would let a host that still runs a task put off its end, and `cdk destroy` with it. Without them
            # such a host takes its task along, and ECS starts another one elsewhere.
            enable_managed_termination_protection=False,
            enable_managed_draining=False,
        )
        cluster.add_asg_capacity_provider(provider)
        # The same again by a helper function of the CDK, from before capacity providers could drain.
        for construct in ("DrainECSHook", "LifecycleHookDrainHook"):
            group.node.try_remove_child(construct)
        self.strategy = ecs.CapacityProviderStrategy(capacity_provider=provider.capacity_provider_name, weight=1)

    def allow_from(self, load_balancer: ec2.IConnectable) -> None:
        """Let a load balancer reach the containers; the CDK does not, for the hosts of a capacity provider."""
        load_balancer.connections.allow_to(self._security_group, _DYNAMIC_PORTS, "Load balancer to containers")

    def _template(self, role: iam.IRole) -> ec2.LaunchTemplate:
        return ec2.LaunchTemplate(
            self,
            "Template",
            instance_type=_INSTANCE_TYPE,
            machine_image=ecs.EcsOptimizedImage.amazon_linux2023(ecs.AmiHardwareType.ARM),
            security_group=self._security_group,
            role=role,
            user_data=ec2.UserData.for_linux(),
            require_imdsv2=True,
            http_put_response_hop_limit=1,  # the host's own credentials are one hop too far for its containers
            block_devices=[
                ec2.BlockDevice(
                    device_name="/dev/xvda",
                    volume=ec2.BlockDeviceVolume.ebs(
                        _DISK, encrypted=True, volume_type=ec2.EbsDeviceVolumeType.GP3, delete_on_termination=True
                    ),
                )
            ],
        )

    def _role(self, cluster: ecs.Cluster) -> iam.IRole:
        """What the agent of ECS calls. Images and logs are the business of each task's own execution role."""
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
        instances = Stack.of(self).format_arn(
            service="ecs",
            resource="container-instance",
            resource_name=f"{cluster.cluster_name}/*",
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )
        for actions, resource in (
            (["ecs:RegisterContainerInstance", "ecs:DeregisterContainerInstance"], cluster.cluster_arn),
            (
                ["ecs:SubmitTaskStateChange", "ecs:SubmitContainerStateChange", "ecs:SubmitAttachmentStateChanges"],
                cluster.cluster_arn,
            ),
            (["ecs:Poll", "ecs:StartTelemetrySession"], instances),
            (["ecs:DiscoverPollEndpoint"], "*"),
        ):
            role.add_to_policy(iam.PolicyStatement(actions=actions, resources=[resource]))
        cluster_id = Stack.of(self).get_logical_id(cast(ecs.CfnCluster, cluster.node.default_child))
        acknowledge_wildcard(
            role,
            f"arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>:container-instance/<{cluster_id}>/*",
            "A host learns its name in the cluster when it registers",
        )
        acknowledge_wildcard(role, "*", "ecs:DiscoverPollEndpoint is about no particular resource")
        # The CDK would add rights to every log group and repository of the account.
        return role.without_policy_updates()
