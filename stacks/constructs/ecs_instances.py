"""EC2 instances for an ECS cluster, added and removed by a capacity provider."""

from typing import cast

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.constructs.launch_template import HardenedLaunchTemplate
from stacks.support.cdk_nag import acknowledge, acknowledge_wildcard
from stacks.support.policies import allow

# 1 GiB of memory: enough for the old and the new task of a rollout, the operating system, and the ECS agent.
_INSTANCE_TYPE = ec2.InstanceType.of(ec2.InstanceClass.T4G, ec2.InstanceSize.MICRO)

# Docker chooses a port in this range for a container without a host port ("PortMapping" in the ECS API reference).
_DYNAMIC_PORTS = ec2.Port.tcp_range(32768, 65535)


class EcsInstances(Construct):
    """One or two small Graviton instances, registered as a capacity provider of a cluster.

    Attributes:
        strategy: Places the tasks of a service on these instances.
    """

    def __init__(self, scope: Construct, construct_id: str, *, cluster: ecs.Cluster) -> None:
        super().__init__(scope, construct_id)
        # No key pair and no ingress rule for port 22, so no one can log in with SSH.
        self._security_group = ec2.SecurityGroup(self, "SecurityGroup", vpc=cluster.vpc, description="ECS instances")
        group = autoscaling.AutoScalingGroup(
            self,
            "Group",
            vpc=cluster.vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
            launch_template=HardenedLaunchTemplate(
                self,
                "Template",
                instance_type=_INSTANCE_TYPE,
                machine_image=ecs.EcsOptimizedImage.amazon_linux2023(ecs.AmiHardwareType.ARM),
                security_group=self._security_group,
                role=self._role(cluster),
                user_data=ec2.UserData.for_linux(),
            ),
            min_capacity=1,
            max_capacity=2,
        )
        acknowledge(group, AS3="Notifications about each launch and termination would need no action")
        provider = ecs.AsgCapacityProvider(
            self,
            "Provider",
            auto_scaling_group=group,
            enable_managed_scaling=True,
            # Both would delay the termination of an instance that runs a task, and therefore `cdk destroy`. Without
            # them, the task stops with its instance, and ECS starts a replacement on another one.
            enable_managed_termination_protection=False,
            enable_managed_draining=False,
        )
        cluster.add_asg_capacity_provider(provider)
        # The CDK also adds a lifecycle hook with a function that drains instances. Capacity providers made it obsolete.
        for construct in ("DrainECSHook", "LifecycleHookDrainHook"):
            group.node.try_remove_child(construct)
        self.strategy = ecs.CapacityProviderStrategy(capacity_provider=provider.capacity_provider_name, weight=1)

    def allow_from(self, load_balancer: ec2.IConnectable) -> None:
        """Allow a load balancer to reach the containers' ports. The CDK does not do this for a capacity provider."""
        load_balancer.connections.allow_to(self._security_group, _DYNAMIC_PORTS, "Load balancer to containers")

    def _role(self, cluster: ecs.Cluster) -> iam.IRole:
        """The instance role, for the ECS agent only. Each task's execution role pulls the image and writes the log."""
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
        instances = Stack.of(self).format_arn(
            service="ecs",
            resource="container-instance",
            resource_name=f"{cluster.cluster_name}/*",
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )
        changes = ["ecs:SubmitTaskStateChange", "ecs:SubmitContainerStateChange", "ecs:SubmitAttachmentStateChanges"]
        allow(role, ["ecs:RegisterContainerInstance", "ecs:DeregisterContainerInstance"], cluster.cluster_arn)
        allow(role, changes, cluster.cluster_arn)
        allow(role, ["ecs:Poll", "ecs:StartTelemetrySession"], instances)
        allow(role, ["ecs:DiscoverPollEndpoint"], "*")
        cluster_id = Stack.of(self).get_logical_id(cast(ecs.CfnCluster, cluster.node.default_child))
        acknowledge_wildcard(
            role,
            f"arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>:container-instance/<{cluster_id}>/*",
            "The ID of a container instance is assigned when it registers",
        )
        acknowledge_wildcard(role, "*", "ecs:DiscoverPollEndpoint has no resource type")
        # The CDK would add permissions for every log group and repository of the account.
        return role.without_policy_updates()
