"""The judge of a soak says so when anything is not as it has to be."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from photos.catalogue import Catalogue
from photos.event_ordering import Upload
from photos.keys import thumbnail_key
from photos.storage import Originals, Thumbnails
from photos.thumbnails import Thumbnailer
from tests.lambda_src.conftest import aws  # noqa: F401  # a fixture
from tests.lambda_src.mocked_aws import CATALOGUE, ORIGINALS, THUMBNAILS, MockedAws, jpeg
from tests.soak.photos import outcome
from tests.soak.plan import Plan, make_plan
from tests.soak.verifier import Judge

FILES = {"red": jpeg("red"), "blue": jpeg("blue"), "text": b"no photo"}


@dataclass
class MockedSandbox:
    """As much of a sandbox as the judge asks for."""

    aws: MockedAws
    outputs: dict[str, dict[str, str]]

    def client(self, service: str) -> Any:
        return boto3.client(service)  # type: ignore[call-overload]  # the name is not known to the type checker

    def table_items(self, table: str) -> list[dict[str, Any]]:
        return list(self.aws.items().values())


@pytest.fixture
def sandbox(aws: MockedAws) -> MockedSandbox:  # noqa: F811
    queues = [boto3.client("sqs").create_queue(QueueName=name)["QueueUrl"] for name in ("uploads", "dead", "sweeps")]
    thumbnails = {
        "OriginalsBucket": ORIGINALS,
        "ThumbnailsBucket": THUMBNAILS,
        "CatalogueTable": CATALOGUE,
        "UploadQueueUrl": queues[0],
        "DeadLetterQueueUrl": queues[1],
    }
    return MockedSandbox(aws, {"Thumbnails": thumbnails, "Cron": {"DeadLetterQueueUrl": queues[2]}})


@pytest.fixture
def done(sandbox: MockedSandbox) -> tuple[Judge, Plan]:
    """A plan all of which was done, and well; and the judge of it."""
    plan = make_plan(photos=7, clients=2, pictures=list(FILES), seed="2", prefix="soak/")
    aws = sandbox.aws  # noqa: F811
    thumbnailer = Thumbnailer(
        Originals(aws.s3, ORIGINALS), Thumbnails(aws.s3, THUMBNAILS), Catalogue(aws.dynamodb, CATALOGUE)
    )
    for key, name in plan.final.items():
        thumbnailer.uploaded(key, Upload(aws.put(key, FILES[name]), "01"))
    report = {"photos": len(plan.final), "thumbnails": len(aws.thumbnails())}
    report |= dict.fromkeys(["queued", "removed_items", "removed_thumbnails"], 0)
    aws.s3.put_object(Bucket=THUMBNAILS, Key="reports/2026-11-24.json", Body=json.dumps(report).encode())
    judge = Judge(sandbox, plan, FILES, {name: outcome(file) for name, file in FILES.items()})  # type: ignore[arg-type]  # a stand-in
    return judge, plan


PROGRESS = {"started_at": "2026-11-24T03:00:00+00:00"}


def _some(plan: Plan, name: str) -> str:
    """A key that holds this picture in the end."""
    return next(key for key, held in plan.final.items() if held == name)


def _path(aws: MockedAws, key: str) -> str:  # noqa: F811
    path: str = aws.items()[key]["thumbnails"]["256"]
    return path


def test_finds_nothing_where_all_is_well(done: tuple[Judge, Plan]) -> None:
    judge, plan = done
    assert judge.problems(PROGRESS) == []
    assert judge.states["deleted"] == len(plan.keys) - len(plan.final) > 0
    assert judge.states["ready"] + judge.states["rejected"] == len(plan.final)


def test_can_be_told_that_something_else_has_to_be_there(done: tuple[Judge, Plan]) -> None:
    judge, plan = done
    key, *others = plan.final
    judge.expect({other: plan.final[other] for other in others})
    (problem,) = judge.wrong_photos()
    assert problem.startswith(f"{key!r} was deleted")


def _lose_thumbnail(aws: MockedAws, plan: Plan) -> None:  # noqa: F811
    aws.s3.delete_object(Bucket=THUMBNAILS, Key=_path(aws, _some(plan, "red")))


def _swap_thumbnail(aws: MockedAws, plan: Plan) -> None:  # noqa: F811
    other = aws.thumbnails()[_path(aws, _some(plan, "blue"))]
    aws.s3.put_object(Bucket=THUMBNAILS, Key=_path(aws, _some(plan, "red")), Body=other)


def _forget(aws: MockedAws, plan: Plan) -> None:  # noqa: F811
    aws.dynamodb.delete_item(TableName=CATALOGUE, Key={"key": {"S": _some(plan, "text")}})


def _speak_of_another_version(aws: MockedAws, plan: Plan) -> None:  # noqa: F811
    _set(aws, _some(plan, "red"), "etag", "e")


def _give_another_reason(aws: MockedAws, plan: Plan) -> None:  # noqa: F811
    _set(aws, _some(plan, "text"), "code", "other")


def _stay_pending(aws: MockedAws, plan: Plan) -> None:  # noqa: F811
    _set(aws, _some(plan, "blue"), "state", "pending")


def _keep_the_older_original(aws: MockedAws, plan: Plan) -> None:  # noqa: F811
    aws.put(_some(plan, "red"), FILES["blue"])


def _keep_a_deleted_one(aws: MockedAws, plan: Plan) -> None:  # noqa: F811
    aws.put(min(plan.keys - plan.final.keys()), FILES["red"])


def _leave_an_orphan(aws: MockedAws, plan: Plan) -> None:  # noqa: F811
    key = thumbnail_key(_some(plan, "red"), Upload("e", "02"), 256)
    aws.s3.put_object(Bucket=THUMBNAILS, Key=key, Body=b"webp")


def _set(aws: MockedAws, key: str, attribute: str, value: str) -> None:  # noqa: F811
    aws.dynamodb.update_item(
        TableName=CATALOGUE,
        Key={"key": {"S": key}},
        UpdateExpression="SET #name = :value",
        ExpressionAttributeNames={"#name": attribute},
        ExpressionAttributeValues={":value": {"S": value}},
    )


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (_lose_thumbnail, "its thumbnail of 256 pixels is missing or another picture's"),
        (_swap_thumbnail, "its thumbnail of 256 pixels is missing or another picture's"),
        (_forget, "is not in the catalogue"),
        (_speak_of_another_version, "the catalogue speaks of another version"),
        (_give_another_reason, "has to be rejected as not_a_photo"),
        (_stay_pending, "has to be ready"),
        (_keep_the_older_original, "its original is not the last one that was uploaded"),
        (_keep_a_deleted_one, "was deleted, and there is its original"),
        (_leave_an_orphan, "is no photo's thumbnail"),
    ],
)
def test_finds_what_is_wrong(
    done: tuple[Judge, Plan], sandbox: MockedSandbox, harm: Callable[[MockedAws, Plan], None], says: str
) -> None:
    judge, plan = done
    harm(sandbox.aws, plan)
    assert says in "\n".join(judge.problems(PROGRESS))


@pytest.mark.parametrize("stack", ["Thumbnails", "Cron"])
def test_finds_a_message_that_nobody_handled(done: tuple[Judge, Plan], sandbox: MockedSandbox, stack: str) -> None:
    boto3.client("sqs").send_message(QueueUrl=sandbox.outputs[stack]["DeadLetterQueueUrl"], MessageBody="x")
    (problem,) = done[0].problems(PROGRESS)
    assert problem.startswith("1 messages are in the dead-letter queue")


def test_finds_a_report_that_is_not_true(done: tuple[Judge, Plan], sandbox: MockedSandbox) -> None:
    report = {"photos": 0, "thumbnails": 0, "queued": 0, "removed_items": 0, "removed_thumbnails": 0}
    sandbox.aws.s3.put_object(Bucket=THUMBNAILS, Key="reports/2026-11-24.json", Body=json.dumps(report).encode())
    assert len(done[0].problems(PROGRESS)) == 2
