"""EC2 instances for an ECS cluster, added and removed by a capacity provider."""

from pathlib import Path
from typing import cast

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.constructs.launch_template import HardenedLaunchTemplate
from stacks.support.cdk_nag import acknowledge, acknowledge_wildcard
from stacks.support.policies import allow

# How long a new instance takes to start and to register with the cluster, with a margin.
_UNTIL_REGISTERED = Duration.minutes(3)

# How long a terminating instance waits while its tasks move: a new task starts and is healthy after 20 seconds, then
# the old one is deregistered from the load balancer.
_UNTIL_DRAINED = Duration.minutes(3)

_DRAIN = Path(__file__).with_suffix(".sh")


class EcsInstances(Construct):
    """Graviton instances, registered as a capacity provider of a cluster, which adds and removes them with the tasks.

    Args:
        instance_type: A Graviton type.
        min_capacity: Number of instances without tasks.
        max_capacity: Maximum number of instances, also while an update replaces one of them.

    Attributes:
        strategy: Places the tasks of a service on these instances.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cluster: ecs.Cluster,
        instance_type: ec2.InstanceType,
        min_capacity: int,
        max_capacity: int,
    ) -> None:
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
                instance_type=instance_type,
                machine_image=ecs.EcsOptimizedImage.amazon_linux2023(ecs.AmiHardwareType.ARM),
                security_group=self._security_group,
                role=self._role(cluster),
                user_data=ec2.UserData.for_linux(),
            ),
            min_capacity=min_capacity,
            max_capacity=max_capacity,
            # A changed AMI, instance type, or disk reaches the running instance: CloudFormation adds an instance,
            # waits, and terminates the old one; if the minimum is 0, it terminates the old one first. The AMI changes
            # only at a deployment, because its ID is a parameter of the stack, which CloudFormation then reads from AWS
            # Systems Manager.
            update_policy=autoscaling.UpdatePolicy.rolling_update(
                max_batch_size=1, min_instances_in_service=min_capacity, pause_time=_UNTIL_REGISTERED
            ),
        )
        # The terminating instance moves its tasks. The hook is a resource of this stack, so `cdk destroy` deletes it
        # before the group, and does not wait.
        group.add_lifecycle_hook(
            "Drain",
            lifecycle_transition=autoscaling.LifecycleTransition.INSTANCE_TERMINATING,
            default_result=autoscaling.DefaultResult.CONTINUE,
            heartbeat_timeout=_UNTIL_DRAINED,
        )
        group.add_user_data(_DRAIN.read_text())
        acknowledge(group, AS3="Notifications about each launch and termination would need no action")
        provider = ecs.AsgCapacityProvider(
            self,
            "Provider",
            auto_scaling_group=group,
            enable_managed_scaling=True,
            # Protection would keep `cdk destroy` from terminating instances. Managed draining adds a lifecycle hook
            # that stays when the capacity provider is deleted: `cdk destroy` would wait for its timeout, an hour.
            enable_managed_termination_protection=False,
            enable_managed_draining=False,
        )
        cluster.add_asg_capacity_provider(provider)
        # The CDK also adds a lifecycle hook with a function that drains instances. Capacity providers made it obsolete.
        for construct in ("DrainECSHook", "LifecycleHookDrainHook"):
            group.node.try_remove_child(construct)
        self.strategy = ecs.CapacityProviderStrategy(capacity_provider=provider.capacity_provider_name, weight=1)

    def _role(self, cluster: ecs.Cluster) -> iam.IRole:
        """The instance role, for the ECS agent. Each task's execution role pulls the image and writes the log."""
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
        allow(role, ["ecs:Poll", "ecs:StartTelemetrySession", "ecs:UpdateContainerInstancesState"], instances)
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
