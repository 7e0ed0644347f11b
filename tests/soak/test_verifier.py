"""Each difference from the expected state that the verifier of a soak has to find."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from local.deployment import Deployment
from photos.event_ordering import Upload
from photos.keys import thumbnail_key
from tests.lambda_src.mocked_aws import CATALOGUE, ORIGINALS, THUMBNAILS, MockedAws, jpeg
from tests.soak.photos import expected_outcome
from tests.soak.plan import Plan, make_plan
from tests.soak.verifier import Verifier

IMAGES = {"red": jpeg("red"), "blue": jpeg("blue"), "text": b"no photo"}
REPORT = "reports/2026-11-24.json"
PROGRESS = {"started_at": "2026-11-24T03:00:00+00:00"}


class MockedDeployment(Deployment):
    """Moto as a deployment."""

    def client(self, service: str) -> Any:
        return boto3.client(service)  # type: ignore[call-overload]  # the type stubs require a literal

    def stack_name(self, stack: str) -> str:
        return stack


@dataclass
class Verified:
    """A plan that was executed without faults, and its verifier."""

    aws: MockedAws
    deployment: Deployment
    plan: Plan
    verifier: Verifier

    def key(self, image: str) -> str:
        """A key that holds this image at the end."""
        return next(key for key, held in self.plan.final.items() if held == image)

    def thumbnail(self, image: str) -> str:
        """The key of a thumbnail of this image."""
        path: str = min(self.aws.items()[self.key(image)]["thumbnails"].values())
        return path

    def set_attribute(self, image: str, attribute: str, value: str) -> None:
        """Change the catalogue item of this image."""
        self.aws.dynamodb.update_item(
            TableName=CATALOGUE,
            Key={"key": {"S": self.key(image)}},
            UpdateExpression="SET #name = :value",
            ExpressionAttributeNames={"#name": attribute},
            ExpressionAttributeValues={":value": {"S": value}},
        )

    def put(self, key: str, body: bytes) -> None:
        """Put an object into the thumbnails bucket."""
        self.aws.s3.put_object(Bucket=THUMBNAILS, Key=key, Body=body)


@pytest.fixture
def verified(aws: MockedAws) -> Verified:
    names = {"UploadQueueUrl": "uploads", "DeadLetterQueueUrl": "dead", "sweep": "sweep"}
    urls = {it: boto3.client("sqs").create_queue(QueueName=name)["QueueUrl"] for it, name in names.items()}
    buckets = {"OriginalsBucket": ORIGINALS, "ThumbnailsBucket": THUMBNAILS, "CatalogueTable": CATALOGUE}
    outputs = {"Thumbnails": buckets | urls, "Cron": {"DeadLetterQueueUrl": urls["sweep"]}}
    deployment = MockedDeployment(outputs=outputs)
    plan = make_plan(photos=7, clients=2, images=list(IMAGES), seed="2", prefix="soak/")
    for key, name in plan.final.items():
        aws.process(key, IMAGES[name])
    report = {"photos": len(plan.final), "thumbnails": len(aws.thumbnails())}
    report |= dict.fromkeys(["queued", "removed_items", "removed_thumbnails"], 0)
    outcomes = {name: expected_outcome(image) for name, image in IMAGES.items()}
    result = Verified(aws, deployment, plan, Verifier(deployment, plan, IMAGES, outcomes))
    result.put(REPORT, json.dumps(report).encode())
    return result


def test_verifier_accepts_the_expected_state(verified: Verified) -> None:
    plan, verifier = verified.plan, verified.verifier
    assert verifier.problems(PROGRESS) == []
    assert verifier.states["deleted"] == len(plan.keys) - len(plan.final) > 0
    assert verifier.states["ready"] + verifier.states["rejected"] == len(plan.final)


def test_verifier_finds_a_photo_that_should_be_deleted(verified: Verified) -> None:
    key, *others = verified.plan.final
    verified.verifier.expect({other: verified.plan.final[other] for other in others})
    (problem,) = verified.verifier.wrong_photos()
    assert problem.startswith(f"{key!r} (deleted): still exists")


def _lose_thumbnail(it: Verified) -> None:
    it.aws.s3.delete_object(Bucket=THUMBNAILS, Key=it.thumbnail("red"))


def _swap_thumbnail(it: Verified) -> None:
    it.put(it.thumbnail("red"), it.aws.thumbnails()[it.thumbnail("blue")])


def _lose_item(it: Verified) -> None:
    it.aws.dynamodb.delete_item(TableName=CATALOGUE, Key={"key": {"S": it.key("text")}})


def _keep_deleted_original(it: Verified) -> None:
    it.aws.put(min(it.plan.keys - it.plan.final.keys()), IMAGES["red"])


def _count_no_photos_in_report(it: Verified) -> None:
    counts = dict.fromkeys(["photos", "thumbnails", "queued", "removed_items", "removed_thumbnails"], 0)
    it.put(REPORT, json.dumps(counts).encode())


def _leave_orphan(it: Verified) -> None:
    it.put(thumbnail_key(it.key("red"), Upload("e", "02"), 256), b"webp")


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (_lose_thumbnail, "is missing or shows another image"),
        (_swap_thumbnail, "is missing or shows another image"),
        (_lose_item, "no catalogue item"),
        (_keep_deleted_original, "still exists"),
        (_leave_orphan, "orphaned thumbnail"),
        (lambda it: it.set_attribute("red", "etag", "e"), "another version"),
        (lambda it: it.set_attribute("text", "code", "other"), "expected rejection not_a_photo"),
        (lambda it: it.set_attribute("blue", "state", "pending"), "expected ready"),
        (lambda it: it.aws.put(it.key("red"), IMAGES["blue"]), "not the latest upload"),
        (_count_no_photos_in_report, "report: photos is 0"),
    ],
)
def test_verifier_finds_each_difference(verified: Verified, damage: Callable[[Verified], None], problem: str) -> None:
    damage(verified)
    assert problem in "\n".join(verified.verifier.problems(PROGRESS))


@pytest.mark.parametrize("stack", ["Thumbnails", "Cron"])
def test_verifier_finds_messages_in_dead_letter_queues(verified: Verified, stack: str) -> None:
    queue = verified.deployment.outputs[stack]["DeadLetterQueueUrl"]
    boto3.client("sqs").send_message(QueueUrl=queue, MessageBody="x")
    (problem,) = verified.verifier.problems(PROGRESS)
    assert problem.startswith("1 messages in the dead-letter queue")
