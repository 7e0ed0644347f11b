"""Probes of the logs that Lambda writes with the role of each function."""

from tests.permissions.probe import PREFIX, Trial, probe


@probe
def writes_thumbnail_log(trial: Trial) -> None:
    """Write the log of the thumbnail function."""
    _log(trial, "Thumbnails/Function", {"Records": []})


@probe
def writes_sweep_log(trial: Trial) -> None:
    """Write the log of the sweep."""
    _log(trial, "Cron/Function", {})


@probe
def writes_api_log(trial: Trial) -> None:
    """Write the log of the API function."""
    _log(trial, "Api/Function", {})


@probe
def writes_expiry_log(trial: Trial) -> None:
    """Write the log of the expiry."""
    _log(trial, "Expiry/Function", {"time": "2000-01-01T00:00:00Z"})


@probe
def writes_image_builder_log(trial: Trial) -> None:
    """Write the log of the function that starts image builds."""
    url = trial.context.s3.generate_presigned_url(
        "put_object", Params={"Bucket": trial.context.thumbnails, "Key": f"{PREFIX}response"}
    )
    event = dict.fromkeys(("StackId", "RequestId", "LogicalResourceId"), "none")
    properties = dict.fromkeys(("ImageTag", "RepositoryName", "ProjectName"), "none")
    request = {"RequestType": "Delete", "ResponseURL": url, "ResourceProperties": properties}
    _log(trial, "Registry/Builder", event | request)


def _log(trial: Trial, function: str, event: dict[str, object]) -> None:
    resources, pages = trial.context.resources, trial.context.sandbox.client("logs").get_paginator("filter_log_events")
    group = resources.physical_id(f"{function}Log")

    def count() -> int:
        return sum(len(page["events"]) for page in pages.paginate(logGroupName=group))

    before = count()
    trial.context.invoke(resources.physical_id(function), event)
    trial.wait_until("another event in the log group", lambda: count() > before)
