#!/usr/bin/env python3
"""Other Compute: one photo service on every compute service of the notes. This file is its table of contents."""

import sys

import stacks  # noqa: F401  # isort: skip  # first: it finds the node that aws_cdk starts
from aws_cdk import App, Tags

from stacks.api import ApiStack
from stacks.batch import BatchStack
from stacks.constructs.custom_resource_logs import own_their_logs
from stacks.cron import CronStack
from stacks.ecs import EcsStack
from stacks.guardrails import GuardrailsStack
from stacks.lightsail import LightsailStack
from stacks.network import NetworkStack
from stacks.registry import RegistryStack
from stacks.support.errors import AppError
from stacks.support.settings import Settings
from stacks.thumbnails import ThumbnailsStack


def build(app: App) -> App:
    """Every stack of the system, as the settings in the app's context say."""
    chosen = Settings.from_context(app.node.get_all_context())

    def named(stack: str) -> dict[str, str]:
        return {"construct_id": stack, "stack_name": f"{chosen.name}-{stack}"}

    network = NetworkStack(app, **named("Network"))
    registry = RegistryStack(app, **named("Registry"), name=chosen.name, target=chosen.target)
    thumbnails = ThumbnailsStack(app, **named("Thumbnails"), target=chosen.target)
    cron = CronStack(
        app, **named("Cron"), storage=thumbnails.storage, uploads=thumbnails.uploads,
        time_zone=chosen.time_zone, target=chosen.target,
    )  # fmt: skip
    batch = BatchStack(app, **named("Batch"), vpc=network.vpc, image=registry.album_image, storage=thumbnails.storage)
    api = ApiStack(
        app, **named("Api"), storage=thumbnails.storage, album_queues=batch.album_queues,
        allowed_cidr=chosen.allowed_cidr, target=chosen.target,
    )  # fmt: skip
    gallery = EcsStack(
        app, **named("Ecs"), name=chosen.name, vpc=network.vpc, image=registry.gallery_image,
        allowed_cidr=chosen.allowed_cidr, api_url=api.url,
    )  # fmt: skip
    website = LightsailStack(app, **named("Lightsail"), allowed_cidr=chosen.allowed_cidr, api_url=api.url)
    GuardrailsStack(
        app, **named("Guardrails"), watched=[it.watched for it in (thumbnails, api, gallery, batch, cron, website)],
        monthly_budget_usd=chosen.monthly_budget_usd, alert_email=chosen.alert_email,
    )  # fmt: skip
    Tags.of(app).add("project", chosen.name)
    own_their_logs(app)
    return app


if __name__ == "__main__":
    try:
        build(App()).synth()
    except AppError as error:
        sys.exit(str(error))
