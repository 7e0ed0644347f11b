"""Amazon ECR. In the notes: "where you store your Docker images so they can be run by ECS or Fargate", and by Batch.

Two repositories with one image each: `gallery`, a web server that ECS runs, and `album`, a job that Batch runs. They
are separate because the server and the job share no library and change independently. An image is built once and runs
anywhere, as the notes say of Docker: both images run on Fargate and on EC2.

The deployment builds the images (see `constructs/built_image.py`) in this stack, on which others depend: an ECS service
whose image does not exist cannot start tasks, so its deployment fails.
"""

from typing import Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_ecr as ecr
from constructs import Construct

from stacks.constructs.built_image import BuiltImage
from stacks.constructs.python_function import PythonFunction
from stacks.support.settings import Target

# The current image, and earlier images that a rollback can need.
_IMAGES_KEPT = 5


class RegistryStack(Stack):
    """The repositories `<name>/gallery` and `<name>/album` with their images.

    Attributes:
        gallery_image: For task definitions. A stack that uses it is deployed after the image is built.
        album_image: For job definitions, likewise.
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
        gallery = BuiltImage(self, "GalleryImage", source="gallery", repository=gallery_repository, builder=builder)
        album = BuiltImage(self, "AlbumImage", source="album", repository=album_repository, builder=builder)
        # One build at a time: a new account can run one, and CodeBuild rejects a second one instead of queueing it
        # ("Cannot have more than 1 builds in queue for the account").
        album.built.node.add_dependency(gallery.built)
        self.gallery_image, self.album_image = gallery.image, album.image

        CfnOutput(self, "GalleryRepository", value=gallery_repository.repository_uri)
        CfnOutput(self, "AlbumRepository", value=album_repository.repository_uri)

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
