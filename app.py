#!/usr/bin/env python3
"""Other Compute: one photo service on every AWS compute service of the notes. This file lists its stacks."""

import os
import sys
from typing import Any

import stacks  # noqa: F401  # isort: skip  # must come first: sets the path of Node.js before aws_cdk is imported
from aws_cdk import App, CfnOutput, Tags

from stacks.api import ApiStack
from stacks.batch import BatchStack
from stacks.budget import BudgetStack
from stacks.constructs.custom_resource_logs import add_custom_resource_log_groups
from stacks.cron import CronStack
from stacks.ecs import EcsStack
from stacks.guardrails import GuardrailsStack
from stacks.lightsail import LightsailStack
from stacks.network import NetworkStack
from stacks.registry import RegistryStack
from stacks.support.errors import AppError
from stacks.support.settings import Settings, emulator_settings, recorded_settings
from stacks.support.shared_resources import GalleryUrls
from stacks.thumbnails import ThumbnailsStack


def build(app: App) -> App:
    """Add all stacks to the app, configured by the settings in its context."""
    context = app.node.get_all_context()
    settings = Settings.from_context(context)

    def named(stack: str) -> dict[str, Any]:
        # `make deploy` and `make destroy` find the stacks of a deployment by this tag.
        return {"construct_id": stack, "stack_name": f"{settings.name}-{stack}", "tags": {"project": settings.name}}

    # fmt: off
    cidr, target = settings.allowed_cidr, settings.target
    network = NetworkStack(app, **named("Network"))
    registry = RegistryStack(app, **named("Registry"), name=settings.name, target=target)
    thumbnails = ThumbnailsStack(app, **named("Thumbnails"), target=target)
    storage = thumbnails.storage
    cron = CronStack(app, **named("Cron"), storage=storage, upload_queue=thumbnails.upload_queue,
                     time_zone=settings.time_zone, target=target)
    batch = BatchStack(app, **named("Batch"), vpc=network.vpc, image=registry.album_image, storage=storage)
    api = ApiStack(app, **named("Api"), storage=storage, album_jobs=batch.album_jobs, allowed_cidr=cidr, target=target)
    urls = GalleryUrls.of(api.url, storage)
    ecs = EcsStack(app, **named("Ecs"), name=settings.name, vpc=network.vpc, image=registry.gallery_image,
                   allowed_cidr=cidr, urls=urls)
    lightsail = LightsailStack(app, **named("Lightsail"), allowed_cidr=cidr, urls=urls)
    guardrails = GuardrailsStack(app, **named("Guardrails"), alert_email=settings.alert_email,
                                 monitoring=[it.monitoring for it in (thumbnails, api, ecs, batch, cron, lightsail)])
    BudgetStack(app, **named("Budget"), topic=guardrails.topic, alert_email=settings.alert_email,
                monthly_budget_usd=settings.monthly_budget_usd)
    # fmt: on
    Tags.of(app).add("project", settings.name)
    CfnOutput(thumbnails, "Settings", value=recorded_settings(context))
    add_custom_resource_log_groups(app)
    return app


if __name__ == "__main__":
    try:
        build(App(context=emulator_settings(os.environ.get("AWS_ENDPOINT_URL")))).synth()
    except AppError as error:
        sys.exit(str(error))
