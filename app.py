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
from stacks.expiry import ExpiryStack
from stacks.guardrails import GuardrailsStack
from stacks.lightsail import LightsailStack
from stacks.network import NetworkStack
from stacks.registry import RegistryStack
from stacks.support.errors import AppError
from stacks.support.settings import Settings, emulator_settings, recorded_settings
from stacks.support.shared_resources import GalleryUrls
from stacks.thumbnails import ThumbnailsStack
from stacks.workers import WorkersStack


def build(app: App) -> App:
    """Add all stacks to the app, configured by the settings in its context."""
    context = app.node.get_all_context()
    settings = Settings.from_context(context)

    def named(stack: str) -> dict[str, Any]:
        # `make deploy` and `make destroy` find the stacks of a deployment by this tag.
        return {"construct_id": stack, "stack_name": f"{settings.name}-{stack}", "tags": {"project": settings.name}}

    # fmt: off
    cidr, on, target = settings.allowed_cidr, settings.thumbnails_on, settings.target
    network = NetworkStack(app, **named("Network"))
    registry = RegistryStack(app, **named("Registry"), name=settings.name, target=target)
    thumbnails = ThumbnailsStack(app, **named("Thumbnails"), thumbnails_on=on, image=registry.thumbnailer,
                                 target=target)
    storage, uploads = thumbnails.storage, thumbnails.upload_queue
    cron = CronStack(app, **named("Cron"), storage=storage, upload_queue=uploads, time_zone=settings.time_zone,
                     target=target)
    batch = BatchStack(app, **named("Batch"), vpc=network.vpc, album_image=registry.album_image,
                       thumbnailer_image=registry.thumbnailer_image, storage=storage)
    api = ApiStack(app, **named("Api"), storage=storage, album_jobs=batch.album_jobs, allowed_cidr=cidr, target=target)
    urls = GalleryUrls.of(api.url, storage)
    ecs = EcsStack(app, **named("Ecs"), name=settings.name, vpc=network.vpc, image=registry.gallery_image,
                   allowed_cidr=cidr, urls=urls, worker_instances=on == "ec2")
    lightsail = LightsailStack(app, **named("Lightsail"), allowed_cidr=cidr, urls=urls)
    monitored: list[Any] = [thumbnails, api, ecs, batch, cron, lightsail]
    if on in ("fargate", "ec2"):
        workers = WorkersStack(app, **named("Workers"), cluster=ecs.cluster, instances=ecs.worker_strategy,
                               image=registry.thumbnailer_image, storage=storage, upload_queue=uploads)
        monitored.insert(1, workers)
    guardrails = GuardrailsStack(app, **named("Guardrails"), alert_email=settings.alert_email,
                                 monitoring=[stack.monitoring for stack in monitored])
    BudgetStack(app, **named("Budget"), topic=guardrails.topic, alert_email=settings.alert_email,
                monthly_budget_usd=settings.monthly_budget_usd)
    # fmt: on
    if settings.expires_at:  # after all other stacks, because it deletes them
        ExpiryStack(app, **named("Expiry"), name=settings.name, expires_at=settings.expires_at, target=target)
    Tags.of(app).add("project", settings.name)
    CfnOutput(thumbnails, "Settings", value=recorded_settings(context))
    add_custom_resource_log_groups(app)
    return app


if __name__ == "__main__":
    try:
        build(App(context=emulator_settings(os.environ.get("AWS_ENDPOINT_URL")))).synth()
    except AppError as error:
        sys.exit(str(error))
