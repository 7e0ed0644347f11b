"""Amazon ECR, "where you store your Docker images so they can be run by ECS or Fargate", and by Batch.

Two repositories, and an image in each: `gallery`, the web server that ECS runs, and `album`, the job that Batch runs.
An image is built once and then runs on any host, the notes' point about Docker: `gallery` on Fargate and on EC2 by ECS,
`album` on Fargate and on EC2 by Batch. Two, as what serves and what ends share no library and grow apart.

The deployment builds them (see `built_image.py`), in a stack that others come after: an ECS service whose image is not
there yet fails to start, and its deployment with it.
"""

from typing import Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_ecr as ecr
from constructs import Construct

from stacks.constructs.built_image import BuiltImage
from stacks.constructs.python_function import PythonFunction
from stacks.support.settings import Target

# The current image, and what a rolled back deployment may need.
_IMAGES_KEPT = 5


class RegistryStack(Stack):
    """The repositories `<name>/gallery` and `<name>/album`, with their images.

    gallery_image, album_image: for task and job definitions; a stack that uses one is deployed after it is built
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
            description="Has an image built and tells CloudFormation when it is there",
        )
        self.gallery_repository = self._repository("Gallery", f"{name}/gallery")
        self.album_repository = self._repository("Album", f"{name}/album")
        gallery = BuiltImage(
            self, "GalleryImage", source="gallery", repository=self.gallery_repository, builder=builder
        )
        album = BuiltImage(self, "AlbumImage", source="album", repository=self.album_repository, builder=builder)
        # One after the other: a new account may run one build at a time, and CodeBuild refuses a second one instead of
        # queueing it ("Cannot have more than 1 builds in queue for the account").
        album.built.node.add_dependency(gallery.built)
        self.gallery_image, self.album_image = gallery.image, album.image

        CfnOutput(self, "GalleryRepository", value=self.gallery_repository.repository_uri)
        CfnOutput(self, "AlbumRepository", value=self.album_repository.repository_uri)

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
