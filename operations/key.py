"""The API key. No template and no log contains it; callers with permission read it here."""

import boto3

from operations.outputs import stack_outputs


def api_key(session: boto3.Session, name: str) -> str:
    """Return the key that write requests to the API need.

    Raises:
        NotDeployedError: The stack `Api` is not deployed.
    """
    key_id = stack_outputs(session, name, "Api")["ApiKeyId"]
    return session.client("apigateway").get_api_key(apiKey=key_id, includeValue=True)["value"]
