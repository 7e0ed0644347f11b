"""API Gateway events of a REST API with Lambda proxy integration."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit


def event(method: str, path: str, body: object = None, *, content_type: str = "application/json") -> dict[str, Any]:
    """Return the event of a request whose path can have a query string, and an id as its second segment."""
    split = urlsplit(path)
    folder, _, photo_or_album = split.path.removeprefix("/").partition("/")
    query = parse_qs(split.query, keep_blank_values=True)
    return {
        "resource": f"/{folder}/{{id}}" if photo_or_album else split.path,
        "path": split.path,
        "httpMethod": method,
        "headers": {"Content-Type": content_type, "Host": "api"},
        "multiValueHeaders": {"Content-Type": [content_type], "Host": ["api"]},
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": {"id": photo_or_album} if photo_or_album else None,
        "stageVariables": None,
        "requestContext": {"requestId": "r-1", "stage": "v1", "identity": {"sourceIp": "192.0.2.1"}},
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }
