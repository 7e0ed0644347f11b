#!/usr/bin/env python3
"""Other Compute: one photo service on every compute service of the notes. This file is its table of contents."""

import sys

from aws_cdk import App, Tags

from stacks.bundle import BundleError
from stacks.guardrails import GuardrailsStack
from stacks.helper_functions import own_their_logs
from stacks.lightsail import LightsailStack
from stacks.lightsail_user_data import UserDataError
from stacks.settings import SettingError, Settings
from stacks.thumbnails import ThumbnailsStack


def build(app: App) -> App:
    """Every stack of the system, as the settings in the app's context say."""
    settings = Settings.from_context(app.node.get_all_context())
    thumbnails = ThumbnailsStack(app, "Thumbnails", stack_name=f"{settings.name}-Thumbnails", target=settings.target)
    LightsailStack(app, "Lightsail", stack_name=f"{settings.name}-Lightsail", allowed_cidr=settings.allowed_cidr)
    GuardrailsStack(
        app,
        "Guardrails",
        stack_name=f"{settings.name}-Guardrails",
        watched=[thumbnails.watched],
        monthly_budget_usd=settings.monthly_budget_usd,
        alert_email=settings.alert_email,
    )
    Tags.of(app).add("project", settings.name)
    own_their_logs(app)
    return app


if __name__ == "__main__":
    try:
        build(App()).synth()
    except (SettingError, BundleError, UserDataError) as error:
        sys.exit(str(error))
