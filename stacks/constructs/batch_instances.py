"""EC2 instances for AWS Batch: Spot first, On-Demand when Spot has no capacity, and none without jobs."""

from aws_cdk import Stack
from aws_cdk import aws_batch as batch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.constructs.launch_template import HardenedLaunchTemplate
from stacks.support.cdk_nag import acknowledge_wildcard
from stacks.support.policies import allow

# More Spot capacity pools mean fewer interruptions, and small instances leave little capacity unused. An account on the
# Free plan cannot launch any of these types, and Batch rejects the Graviton types that it can launch, t4g.micro and
# t4g.small: "Instance type can only be one of …".
_INSTANCE_TYPES = [f"{family}.{size}" for family in ("c6g", "c7g", "m6g", "m7g") for size in ("medium", "large")]

# The calls of the ECS agent on an instance, by resource type (Service Authorization Reference, "Amazon Elastic
# Container Service"). The managed policy also allows the agent to pull all images and write all logs. Here, those
# permissions belong to the execution role of a job.
_AGENT_ACTIONS = {
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
        "ecs:UpdateContainerInstancesState",  # reports a Spot interruption
    ],
}


class BatchInstances(Construct):
    """Two compute environments with the same Graviton instance types: Spot and On-Demand.

    Attributes:
        environments: The compute environments, in the order in which a job queue tries them.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, vpc: ec2.IVpc, max_spot_vcpus: int, max_on_demand_vcpus: int
    ) -> None:
        super().__init__(scope, construct_id)
        self._vpc = vpc
        self._role = self._instance_role()
        self._template = HardenedLaunchTemplate(self, "Template")
        self._security_group = ec2.SecurityGroup(
            self, "SecurityGroup", vpc=vpc, description="Batch instances: no inbound traffic"
        )
        spot, best_fit = (
            batch.AllocationStrategy.SPOT_PRICE_CAPACITY_OPTIMIZED,
            batch.AllocationStrategy.BEST_FIT_PROGRESSIVE,
        )
        self.environments = [
            self._environment("Spot", spot=True, strategy=spot, max_vcpus=max_spot_vcpus),
            self._environment("OnDemand", spot=False, strategy=best_fit, max_vcpus=max_on_demand_vcpus),
        ]

    def _environment(
        self, construct_id: str, *, spot: bool, strategy: batch.AllocationStrategy, max_vcpus: int
    ) -> batch.IComputeEnvironment:
        environment = batch.ManagedEc2EcsComputeEnvironment(
            self,
            construct_id,
            spot=spot,
            allocation_strategy=strategy,
            instance_types=[ec2.InstanceType(name) for name in _INSTANCE_TYPES],
            use_optimal_instance_classes=False,  # "optimal" means x86
            images=[batch.EcsMachineImage(image_type=batch.EcsMachineImageType.ECS_AL2023)],
            launch_template=self._template,
            instance_role=self._role,
            security_groups=[self._security_group],
            minv_cpus=0,
            maxv_cpus=max_vcpus,
            vpc=self._vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
            # Replace instead of update, because most properties cannot be updated in place (aws-cdk issue 27054). A
            # replacement needs a new name, so the environment has a generated one. No service role is set: with
            # the service-linked role named in a stack, an environment can neither work nor be deleted (aws-cdk issue
            # 20727).
            replace_compute_environment=True,
        )
        # Without a version, Batch uses the default version of a launch template, which CloudFormation never changes.
        resource: batch.CfnComputeEnvironment = environment.node.default_child  # type: ignore[assignment]  # its L1
        resource.add_property_override("ComputeResources.LaunchTemplate.Version", self._template.latest_version_number)
        environment.node.add_dependency(self._role)  # and its policy, which instances need to report that jobs ended
        return environment

    def _instance_role(self) -> iam.Role:
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
        stack = Stack.of(self)
        for resource_type, actions in _AGENT_ACTIONS.items():
            allow(role, actions, f"arn:{stack.partition}:ecs:{stack.region}:{stack.account}:{resource_type}/*")
        allow(role, ["ecs:DiscoverPollEndpoint"], "*")
        acknowledge_wildcard(role, "*", "ecs:DiscoverPollEndpoint has no resource type")
        for resource_type in _AGENT_ACTIONS:
            acknowledge_wildcard(
                role,
                f"arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>:{resource_type}/*",
                "Batch creates and names the clusters of its compute environments",
            )
        return role
