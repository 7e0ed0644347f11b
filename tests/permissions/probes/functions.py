"""What Lambda does for every function: it writes the function's log."""

from tests.permissions.trial import Trial, probe


@probe()
def thumbnail_logs(trial: Trial) -> None:
    """What the thumbnail function logs is in its log group."""
    _logs(trial, "Thumbnails/Function", {"Records": []})


@probe()
def sweep_logs(trial: Trial) -> None:
    """What the sweep logs is in its log group."""
    _logs(trial, "Cron/Function", {})


@probe()
def api_logs(trial: Trial) -> None:
    """What the API's function logs is in its log group."""
    _logs(trial, "Api/Function", {})


@probe()
def image_build_logs(trial: Trial) -> None:
    """What the function that has images built logs is in its log group."""
    properties = {"ImageTag": "none", "RepositoryName": "none", "ProjectName": "none"}
    answer = trial.bench.s3.generate_presigned_url(
        "put_object", Params={"Bucket": trial.bench.thumbnails, "Key": "privileges/answer"}
    )
    asked = {"StackId": "none", "RequestId": "none", "LogicalResourceId": "none", "ResponseURL": answer}
    _logs(trial, "Registry/Builder", {"RequestType": "Delete", "ResourceProperties": properties} | asked)


def _logs(trial: Trial, function: str, event: dict[str, object]) -> None:
    logs, group = trial.bench.sandbox.client("logs"), trial.bench.names.of(f"{function}Log")

    def lines() -> int:
        return sum(len(page["events"]) for page in pages.paginate(logGroupName=group))

    pages = logs.get_paginator("filter_log_events")
    before = lines()
    trial.bench.invoke(trial.bench.names.of(function), event)
    trial.until("its log has more lines", lambda: lines() > before)
