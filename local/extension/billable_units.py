"""Billable units: what AWS would bill for the requests of roles, of services, and of clients with presigned requests.

`operations/cost/usage.py` describes the units. `measurements.py` writes them. Calls of the user who deploys and tests
(the root user) do not count, except presigned ones. The emulator computes the request units of DynamoDB writes, but
rounds each read to one item of 4 KB. The unit `uncounted/<operation>` stands for DynamoDB operations on several items,
such as `BatchGetItem`, whose request units nothing here computes.
"""

import base64
import threading
from collections import Counter
from collections.abc import Mapping
from contextvars import ContextVar
from math import ceil
from typing import Any

import ministack.app
from ministack.services import apigateway_v1, dynamodb, firehose, lambda_svc, s3

from local.extension.iam_roles import calling_role

_SQS_BYTES = 64 * 1024  # "Amazon SQS pricing": each 64 KB of a payload is one request
_FIREHOSE_BYTES = 5 * 1024  # "Amazon Data Firehose pricing": each record is rounded up to 5 KB

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
_READ_BYTES = 4096
# Of each item, and of each index entry ("Storage considerations"):
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html
_STORAGE_OVERHEAD_BYTES = 100
_COUNTED_OPERATIONS = ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan")

_units: Counter[str] = Counter()
_lock = threading.Lock()

# Bytes that the current query or scan read.
_bytes_read: ContextVar[int] = ContextVar("bytes_read")


def extend() -> None:
    """Count all units except those that other modules count."""
    _count_s3_requests()
    _count_request_units()
    _count_notifications()
    _count_invocations()
    _count_api_requests()
    _count_log_records()


def count(unit: str, amount: float = 1) -> None:
    """Count a unit."""
    with _lock:
        _units[unit] += amount  # type: ignore[assignment]  # half read units


def count_sqs_request(payload_bytes: int) -> None:
    """Count a request to SQS with the size of its messages."""
    count("sqs-requests", max(1, ceil(payload_bytes / _SQS_BYTES)))


def read() -> dict[str, float]:
    """Return the units so far."""
    with _lock:
        return dict(_units)


def _count_s3_requests() -> None:
    """Count requests by price class, and the bytes that clients outside of AWS receive ("Amazon S3 pricing")."""
    dispatch = ministack.app.SERVICE_HANDLERS["s3"]

    async def dispatch_and_count(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        response = await dispatch(method, path, headers, body, query)
        is_form = headers.get("content-type", "").startswith("multipart/form-data")
        is_presigned = is_form or bool(query.keys() & {"X-Amz-Signature", "Signature"})
        if is_presigned or calling_role():
            count(_s3_class(method, path, query))
        if is_presigned and isinstance(response[2], bytes):
            count("transfer-out-bytes", len(response[2]))
        return response

    ministack.app.SERVICE_HANDLERS["s3"] = dispatch_and_count


def _s3_class(method: str, path: str, query: Mapping[str, Any]) -> str:
    has_key = "/" in path.strip("/")
    if method == "DELETE" or "delete" in query:
        return "s3-free"
    return "s3-put" if method in ("PUT", "POST") or (method == "GET" and not has_key) else "s3-get"


def _count_request_units() -> None:
    dispatch, add = ministack.app.SERVICE_HANDLERS["dynamodb"], dynamodb._add_consumed_capacity
    fail, paginate = dynamodb._conditional_check_failed, dynamodb._paginate_evaluated_items

    def add_and_count(result: Any, data: Any, name: str, write: bool = False, **details: Any) -> None:
        add(result, data, name, write, **details)
        if not calling_role():
            return
        table = dynamodb._tables[name]
        if write:
            used: dict[str, Any] = {}
            add(used, {"ReturnConsumedCapacity": "TOTAL"}, name, write, **details)
            count("dynamodb-write-units", used["ConsumedCapacity"]["CapacityUnits"])
            count("dynamodb-stored-bytes", _stored_bytes(table, details.get("new_item")))
            count("dynamodb-stored-bytes", -_stored_bytes(table, details.get("old_item")))
            return
        is_one_item = "Key" in data
        size = _item_size(dynamodb._get_item_by_key(table, data["Key"])) if is_one_item else _bytes_read.get()
        # An eventually consistent read costs half.
        count("dynamodb-read-units", max(1, ceil(size / _READ_BYTES)) * (1 if data.get("ConsistentRead") else 0.5))

    def fail_and_count(data: Any, old_item: Any, *message: str) -> Any:
        if calling_role():
            count("dynamodb-write-units", dynamodb._capacity_kb(_item_size(old_item)))  # without indexes
        return fail(data, old_item, *message)

    def paginate_and_measure(items: Any, limit: Any, table: Any, index: Any = None) -> Any:
        page, has_more = paginate(items, limit, table, index)
        entries = [dynamodb._apply_index_projection(item, table, index) if index else item for item in page]
        _bytes_read.set(sum(map(_item_size, entries)))
        return page, has_more

    async def dispatch_and_check(method: str, path: str, headers: Any, *request: Any) -> Any:
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        if calling_role() and operation not in _COUNTED_OPERATIONS:
            count(f"uncounted/{operation}")
        return await dispatch(method, path, headers, *request)

    ministack.app.SERVICE_HANDLERS["dynamodb"] = dispatch_and_check
    dynamodb._add_consumed_capacity = add_and_count
    dynamodb._conditional_check_failed = fail_and_count
    dynamodb._paginate_evaluated_items = paginate_and_measure


def _item_size(item: Mapping[str, Any] | None) -> int:
    return int(dynamodb._item_size_bytes(item))


def _stored_bytes(table: Mapping[str, Any], item: Mapping[str, Any] | None) -> int:
    """Return the billed storage of an item and its index entries."""
    if not item:
        return 0
    views = [dynamodb._index_write_view(table, index, item) for index in table["GlobalSecondaryIndexes"]]
    return sum(_item_size(stored) + _STORAGE_OVERHEAD_BYTES for stored in (item, *(view[1] for view in views if view)))


def _count_notifications() -> None:
    """Count the messages that S3 sends: the owner of the queue pays for them."""
    deliver = s3._deliver_event_to_sqs

    def deliver_and_count(arn: str, event: Any, *rest: Any, **options: Any) -> None:
        deliver(arn, event, *rest, **options)
        count_sqs_request(0)  # far below 64 KB

    s3._deliver_event_to_sqs = deliver_and_count


def _count_invocations() -> None:
    execute = lambda_svc._execute_function_dispatch

    def execute_and_count(func: Any, config: Any, *rest: Any) -> Any:
        count(f"lambda-requests/{config['FunctionName']}")
        return execute(func, config, *rest)

    lambda_svc._execute_function_dispatch = execute_and_count


def _count_api_requests() -> None:
    answer = apigateway_v1._handle_execute_in_scope

    async def answer_and_count(*request: Any) -> Any:
        response = await answer(*request)
        count("api-requests")
        count("transfer-out-bytes", len(response[2]))
        return response

    apigateway_v1._handle_execute_in_scope = answer_and_count


def _count_log_records() -> None:
    put = firehose._put_record

    def put_and_count(data: Any) -> Any:
        size = len(base64.b64decode(data["Record"]["Data"]))
        count("firehose-bytes", ceil(size / _FIREHOSE_BYTES) * _FIREHOSE_BYTES)
        return put(data)

    firehose._put_record = put_and_count
