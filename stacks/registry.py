"""Amazon ECR. In the notes: "where you store your Docker images so they can be run by ECS or Fargate", and by Batch.

Three repositories with one image each: `gallery`, a web server that ECS runs; `album`, a job that Batch runs; and
`thumbnailer`, which ECS, Batch, and Lambda run. They are separate because the programs share few libraries and change
independently. An image is built once and runs anywhere, as the notes say of Docker: all images run on Fargate and on
EC2. Lambda runs "container images, if they implement the Lambda Runtime API", as `thumbnailer` does.

The deployment builds the images (see `constructs/built_image.py`) in this stack, on which others depend: an ECS service
whose image does not exist cannot start tasks, so its deployment fails.
"""

from typing import Any

from aws_cdk import ArnFormat, CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from constructs import Construct

from stacks.constructs.built_image import BuiltImage
from stacks.constructs.python_function import PythonFunction
from stacks.support.settings import Target

# The current image, and earlier images that a rollback can need.
_IMAGES_KEPT = 5


class RegistryStack(Stack):
    """The repositories `<name>/gallery`, `<name>/album`, and `<name>/thumbnailer` with their images.

    A stack that uses an image is deployed after the image is built.

    Attributes:
        gallery_image: For task definitions.
        album_image: For job definitions.
        thumbnailer_image: For task and job definitions.
        thumbnailer: The same image, for a function.
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, target: Target, **kwargs: Any) -> None:
        super().__init__(scope, construct_id, **kwargs)
        builder = PythonFunction(
            self,
            "Builder",
            source="image_build",
            target=target,
            memory_size=128,
            timeout=Duration.minutes(15),
            environment={},
            description="Starts an image build and reports its result to CloudFormation",
        )
        gallery_repository = self._repository("Gallery", f"{name}/gallery")
        album_repository = self._repository("Album", f"{name}/album")
        thumbnailer_repository = self._repository("Thumbnailer", f"{name}/thumbnailer")
        self._allow_lambda_to_pull(thumbnailer_repository, functions=f"{name}-Thumbnails-*")
        gallery = BuiltImage(self, "GalleryImage", source="gallery", repository=gallery_repository, builder=builder)
        album = BuiltImage(self, "AlbumImage", source="album", repository=album_repository, builder=builder)
        thumbnailer = BuiltImage(
            self, "ThumbnailerImage", source="thumbnailer", repository=thumbnailer_repository, builder=builder
        )
        # One build at a time: a new account can run one, and CodeBuild rejects a second one instead of queueing it
        # ("Cannot have more than 1 builds in queue for the account").
        album.built.node.add_dependency(gallery.built)
        thumbnailer.built.node.add_dependency(album.built)
        self.gallery_image, self.album_image, self.thumbnailer_image = gallery.image, album.image, thumbnailer.image
        self.thumbnailer = thumbnailer

        CfnOutput(self, "GalleryRepository", value=gallery_repository.repository_uri)
        CfnOutput(self, "AlbumRepository", value=album_repository.repository_uri)
        CfnOutput(self, "ThumbnailerRepository", value=thumbnailer_repository.repository_uri)

    def _repository(self, construct_id: str, repository_name: str) -> ecr.Repository:
        return ecr.Repository(
            self,
            construct_id,
            repository_name=repository_name,
            image_scan_on_push=True,
            image_tag_mutability=ecr.TagMutability.IMMUTABLE,
            lifecycle_rules=[ecr.LifecycleRule(max_image_count=_IMAGES_KEPT)],
            removal_policy=RemovalPolicy.DESTROY,
            empty_on_delete=True,
        )

    def _allow_lambda_to_pull(self, repository: ecr.Repository, *, functions: str) -> None:
        """Allow Lambda to pull an image for functions of this account whose names match a pattern.

        Lambda pulls as a service, not with the role of the function ("Amazon ECR permissions" in the Lambda guide).
        Without this policy, it tries to change the policy of the repository itself, with the permissions of the caller.
        """
        arn = self.format_arn(
            service="lambda", resource="function", resource_name=functions, arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        repository.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("lambda.amazonaws.com")],
                actions=["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                conditions={"StringLike": {"aws:SourceArn": arn}},
            )
        )
