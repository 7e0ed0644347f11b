"""The emulator counts what AWS bills: for roles and for clients with presigned requests, but not for the user."""

from typing import Any, NamedTuple

import pytest
import urllib3
from botocore.credentials import Credentials

from local.emulator import Emulator
from local.measurements import billable_units
from tests.local.emulator_requests import assume_role, create_client, create_role

pytestmark = pytest.mark.slow  # starts an emulator


class _Counted(NamedTuple):
    """Clients of the user and of a role, in an emulator."""

    emulator: Emulator
    key: Credentials

    def user(self, service: str) -> Any:
        return create_client(self.emulator, service)

    def role(self, service: str) -> Any:
        return create_client(self.emulator, service, self.key)

    def units(self) -> dict[str, float]:
        return billable_units(self.emulator)


@pytest.fixture(scope="module")
def counted(emulator: Emulator) -> _Counted:
    return _Counted(emulator, assume_role(emulator, create_role(emulator, "role")))


def _new(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    """Return the units that were counted since."""
    return {unit: amount - before.get(unit, 0) for unit, amount in after.items() if amount != before.get(unit, 0)}


def test_s3_requests_count_by_price_class(counted: _Counted) -> None:
    counted.user("s3").create_bucket(Bucket="bucket")
    before, s3 = counted.units(), counted.role("s3")
    s3.put_object(Bucket="bucket", Key="folder/key", Body=b"-")
    s3.copy_object(Bucket="bucket", Key="copy", CopySource="bucket/folder/key")
    s3.list_objects_v2(Bucket="bucket")
    s3.list_multipart_uploads(Bucket="bucket")
    s3.get_object(Bucket="bucket", Key="folder/key")
    s3.head_object(Bucket="bucket", Key="folder/key")
    s3.delete_object(Bucket="bucket", Key="copy")
    s3.delete_objects(Bucket="bucket", Delete={"Objects": [{"Key": "folder/key"}]})
    assert _new(before, counted.units()) == {"s3-put": 4, "s3-get": 2, "s3-free": 2}


def test_requests_of_the_user_count_only_if_they_are_presigned(counted: _Counted) -> None:
    s3 = counted.user("s3")
    s3.create_bucket(Bucket="presigned")
    before = counted.units()
    s3.put_object(Bucket="presigned", Key="key", Body=b"12345")
    assert _new(before, counted.units()) == {}
    for client in (s3, counted.role("s3")):
        url = client.generate_presigned_url("get_object", Params={"Bucket": "presigned", "Key": "key"})
        assert urllib3.request("GET", url).data == b"12345"
    form = s3.generate_presigned_post(Bucket="presigned", Key="other")
    fields = {**form["fields"], "file": ("photo", b"-")}
    assert urllib3.request("POST", form["url"], fields=fields).status == 204
    assert _new(before, counted.units()) == {"s3-get": 2, "s3-put": 1, "transfer-out-bytes": 10}


def test_sqs_requests_count_batches_once_and_each_64_kb(counted: _Counted) -> None:
    url, sqs = counted.user("sqs").create_queue(QueueName="queue")["QueueUrl"], counted.role("sqs")
    before = counted.units()
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(number), "MessageBody": "-"} for number in range(10)])
    assert _new(before, counted.units()) == {"sqs-requests": 1}
    sqs.send_message(QueueUrl=url, MessageBody="x" * 100_000)
    assert _new(before, counted.units()) == {"sqs-requests": 3}


def test_request_units_count_indexes_failed_writes_storage_and_the_size_of_reads(counted: _Counted) -> None:
    keys = [{"AttributeName": "key", "KeyType": "HASH"}]
    ranked = [{"AttributeName": "place", "KeyType": "HASH"}]
    counted.user("dynamodb").create_table(
        TableName="table",
        KeySchema=keys,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("key", "place")],
        BillingMode="PAY_PER_REQUEST",
        GlobalSecondaryIndexes=[
            {"IndexName": "by-place", "KeySchema": ranked, "Projection": {"ProjectionType": "KEYS_ONLY"}}
        ],
    )
    dynamodb, seen = counted.role("dynamodb"), counted.units()

    def units() -> tuple[float, float, float]:
        """Return the write units, the read units, and the bytes of storage since the last call."""
        nonlocal seen
        new, seen = _new(seen, counted.units()), counted.units()
        write, read, stored = (new.get(f"dynamodb-{kind}", 0) for kind in ("write-units", "read-units", "stored-bytes"))
        return write, read, stored

    def put(key: str, size: int, place: str = "1", **options: Any) -> None:
        item = {"key": {"S": key}, "place": {"S": place}, "filler": {"S": "x" * size}}
        dynamodb.put_item(TableName="table", Item=item, **options)

    entry = len("keyaplace1") + 100
    put("a", 2500)
    assert units() == (3 + 1, 0, 2 * entry + len("filler") + 2500)
    put("a", 2501)  # the entry of the index stays the same
    assert units() == (3, 0, 1)
    put("a", 2501, place="2")  # the entry moves: a deletion and a write
    assert units() == (3 + 2, 0, 0)
    with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException):
        put("a", 0, ConditionExpression="attribute_not_exists(place)")
    assert units() == (3, 0, 0)
    put("b", 2500)
    assert units() == (4, 0, 2 * entry + len("filler") + 2500)
    key = {"key": {"S": "a"}}
    dynamodb.get_item(TableName="table", Key=key, ConsistentRead=True, ProjectionExpression="place")
    assert units() == (0, 1, 0)
    dynamodb.get_item(TableName="table", Key={"key": {"S": "missing"}})
    assert units() == (0, 0.5, 0)
    dynamodb.scan(
        TableName="table", FilterExpression="attribute_not_exists(place)"
    )  # 5 KB, although it returns nothing
    assert units() == (0, 1, 0)
    dynamodb.query(
        TableName="table",
        IndexName="by-place",
        KeyConditionExpression="#place = :place",
        ExpressionAttributeNames={"#place": "place"},
        ExpressionAttributeValues={":place": {"S": "1"}},
    )
    assert units() == (0, 0.5, 0)
    dynamodb.delete_item(TableName="table", Key=key)
    assert units() == (4, 0, -(2 * entry + len("filler") + 2501))
    before = counted.units()
    dynamodb.batch_get_item(RequestItems={"table": {"Keys": [key]}})
    assert _new(before, counted.units()) == {"uncounted/BatchGetItem": 1}
