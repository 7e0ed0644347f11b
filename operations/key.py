"""The API key: in no template and no log, only here for whoever may read it."""

import boto3

from operations.outputs import stack_outputs


def api_key(session: boto3.Session, name: str) -> str:
    """The key that writing to the deployed API needs. Raises NotDeployedError."""
    key_id = stack_outputs(session, name, "Api")["ApiKeyId"]
    return session.client("apigateway").get_api_key(apiKey=key_id, includeValue=True)["value"]
