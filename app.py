#!/usr/bin/env python3
"""Other Compute: one photo service on every compute service of the notes. This file is its table of contents."""

import sys

from aws_cdk import App, Tags

from stacks.batch import BatchStack
from stacks.bundle import BundleError
from stacks.helper_functions import own_their_logs
from stacks.network import NetworkStack
from stacks.registry import RegistryStack
from stacks.settings import SettingError, Settings
from stacks.thumbnails import ThumbnailsStack


def build(app: App) -> App:
    """Every stack of the system, as the settings in the app's context say."""
    settings = Settings.from_context(app.node.get_all_context())
    network = NetworkStack(app, "Network", stack_name=f"{settings.name}-Network")
    registry = RegistryStack(
        app, "Registry", stack_name=f"{settings.name}-Registry", name=settings.name, target=settings.target
    )
    thumbnails = ThumbnailsStack(app, "Thumbnails", stack_name=f"{settings.name}-Thumbnails", target=settings.target)
    BatchStack(
        app,
        "Batch",
        stack_name=f"{settings.name}-Batch",
        vpc=network.vpc,
        image=registry.album_image,
        thumbnails=thumbnails.thumbnails,
        catalogue=thumbnails.catalogue,
    )
    Tags.of(app).add("project", settings.name)
    own_their_logs(app)
    return app


if __name__ == "__main__":
    try:
        build(App()).synth()
    except (SettingError, BundleError) as error:
        sys.exit(str(error))
