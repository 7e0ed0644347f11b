"""A container image that the deployment builds and pushes.

Users need no Docker, and no service starts before its image exists. `cdklabs.deploy-time-build` 0.1 does the same, but
it leaves the log groups of its build and its function behind, waits for an hour if a build does not start, and builds
on Amazon Linux 2, which has reached its end of life.
"""

from aws_cdk import CustomResource, Duration
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from stacks.constructs.python_function import PythonFunction
from stacks.constructs.sandbox_log_group import SandboxLogGroup
from stacks.support.build_context import build_context
from stacks.support.cdk_nag import acknowledge, acknowledge_wildcard
from stacks.support.policies import allow

# The builder function retries for up to three minutes until the build starts. All three together are less than its
# timeout of 15 minutes, so that it always reports the build result.
_QUEUED_TIMEOUT = Duration.minutes(5)
_BUILD_TIMEOUT = Duration.minutes(6)

# Amazon ECR Public throttles anonymous pulls ("toomanyrequests"), so a failed build is repeated.
_DOCKER_BUILD = 'docker build --build-arg BASE_IMAGE="$base_image" --tag "$IMAGE" .'
_RETRIED_BUILD = " || ".join([_DOCKER_BUILD, *(f"{{ sleep {seconds}; {_DOCKER_BUILD}; }}" for seconds in (15, 45))])

_BUILD_SPEC = {
    "version": "0.2",
    "phases": {
        "build": {
            "commands": [
                'aws ecr get-login-password | docker login --username AWS --password-stdin "${IMAGE%%/*}"',
                "base_image=$(sed -n 's/^FROM //p' base.Dockerfile)",
                _RETRIED_BUILD,
                'docker push "$IMAGE"',
            ]
        }
    },
}


class BuiltImage(Construct):
    """The image of `containers/<source>`, built by CodeBuild on Graviton and pushed to a repository.

    The image tag is the hash of the build context: a tag always refers to the same content, and an unchanged
    context is not built again.

    Args:
        source: Folder in `containers/` with a Dockerfile.
        builder: The function `image_build`. It is granted permission to start this build.

    Attributes:
        built: The custom resource that completes when the image is pushed.
        image: For task and job definitions. A stack that uses it is deployed after the build.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        source: str,
        repository: ecr.IRepository,
        builder: PythonFunction,
    ) -> None:
        super().__init__(scope, construct_id)
        asset = s3_assets.Asset(self, "Source", path=str(build_context(source)))
        tag = asset.asset_hash[:32]
        project = self._project(asset, repository, tag)
        builder.allow(["codebuild:StartBuild"], project.project_arn)
        builder.allow(["codebuild:BatchGetBuilds"], project.project_arn)
        builder.allow(["ecr:BatchGetImage"], repository.repository_arn)
        builder.allow(["logs:GetLogEvents"], self._log_group.log_group_arn)

        self.built = CustomResource(
            self,
            "Built",
            service_token=builder.function_arn,
            service_timeout=Duration.minutes(15),
            resource_type="Custom::ContainerImage",
            properties={
                "ProjectName": project.project_name,
                "RepositoryName": repository.repository_name,
                "ImageTag": tag,
            },
        )
        self.built.node.add_dependency(self._role, builder)
        # The repository name comes from the custom resource, so that stacks that use the image wait for the build. The
        # tag is a literal, so that their templates change with it. If the tag came from the custom resource, too, their
        # templates would stay the same, and the CDK CLI would skip the stacks and leave the old image running.
        pushed = ecr.Repository.from_repository_name(self, "Pushed", self.built.get_att_string("RepositoryName"))
        self.image = ecs.ContainerImage.from_ecr_repository(pushed, tag)
        self._pushed, self._tag = pushed, tag

    def function_code(self, handler: str) -> lambda_.EcrImageCode:
        """Return the image as the code of a function.

        Args:
            handler: Module and function, separated by a dot. Amazon's client of the Lambda Runtime API, which the image
                must contain, calls it for each event ("Python custom base images" in the Lambda guide).
        """
        client = ["python", "-m", "awslambdaric"]
        return lambda_.Code.from_ecr_image(self._pushed, tag_or_digest=self._tag, entrypoint=client, cmd=[handler])

    def _project(self, asset: s3_assets.Asset, repository: ecr.IRepository, tag: str) -> codebuild.Project:
        self._log_group = log_group = SandboxLogGroup(self, "Log")
        self._role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("codebuild.amazonaws.com"))
        allow(self._role, ["s3:GetObject", "s3:GetObjectVersion"], asset.bucket.arn_for_objects(asset.s3_object_key))
        allow(self._role, ["s3:GetBucketAcl", "s3:GetBucketLocation"], asset.bucket.bucket_arn)
        repository.grant_push(self._role)
        # Recent Docker clients first check whether the tag exists ("IAM permissions for pushing" in the ECR guide).
        repository.grant(self._role, "ecr:BatchGetImage")
        log_group.grant_write(self._role)
        acknowledge_wildcard(self._role, "*", "ecr:GetAuthorizationToken has no resource type")

        project = codebuild.Project(
            self,
            "Project",
            description=f"Builds and pushes {repository.repository_name}",
            source=codebuild.Source.s3(bucket=asset.bucket, path=asset.s3_object_key),
            build_spec=codebuild.BuildSpec.from_object(_BUILD_SPEC),
            environment=codebuild.BuildEnvironment(
                build_image=codebuild.LinuxArmBuildImage.AMAZON_LINUX_2023_STANDARD_3_0,
                compute_type=codebuild.ComputeType.SMALL,
                privileged=True,  # required to run Docker in the build
                environment_variables={
                    "IMAGE": codebuild.BuildEnvironmentVariable(value=repository.repository_uri_for_tag(tag)),
                    # An attestation turns an image into an image index, which Lambda rejects ("The image manifest,
                    # config or layer media type for the source image is not supported", docker/buildx issue 1533).
                    "BUILDX_NO_DEFAULT_ATTESTATIONS": codebuild.BuildEnvironmentVariable(value="1"),
                },
            ),
            logging=codebuild.LoggingOptions(cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=log_group)),
            # The CDK would add permissions to create test reports and log groups, which remain after `cdk destroy`.
            role=self._role.without_policy_updates(),
            grant_report_group_permissions=False,
            timeout=_BUILD_TIMEOUT,
            queued_timeout=_QUEUED_TIMEOUT,
        )
        acknowledge(project, CB4="The build has no artifacts to encrypt: ECR stores and encrypts the image")
        return project
