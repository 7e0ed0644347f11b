"""The API key: in no template and no log, only here for whoever may read it."""

import boto3

from operations.outputs import outputs_of


def api_key(session: boto3.Session, name: str) -> str:
    """The key that writing to the deployed API needs. Raises NotDeployedError."""
    key_id = outputs_of(session, name, "Api")["ApiKeyId"]
    return session.client("apigateway").get_api_key(apiKey=key_id, includeValue=True)["value"]
