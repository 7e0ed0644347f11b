"""Amazon API Gateway in front of Lambda. In the notes: "expose Lambda functions as HTTP API".

Of the features that the notes list as built in, this API uses:

- Security: a resource policy accepts requests from `allowed_cidr` only.
- API keys: writes require a key, and a usage plan limits each key.
- Throttling: the stage has a limit, too, because a new account has only ten concurrent executions (Lambda quotas).
- Monitoring: an access log, traces, and metrics with an alarm.

It does not use caching, because a cache is billed by the hour, or user authentication, because there are no users.

    client → API Gateway: source address, key, throttle, body → function `api` → catalogue, album jobs, presigned URLs
    client → S3, with presigned URLs: uploads and downloads, to which the limits of the API do not apply

Routes and schemas come from `lambda_src/api/contract.py`, like the function's own validation and `docs/openapi.json`.
"""

from typing import Any

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from stacks.constructs.api_function import ApiFunction
from stacks.constructs.contract_api import ContractApi
from stacks.constructs.monitoring import PERIOD, Monitoring, api_graphs, create_alarm, function_graphs
from stacks.support.settings import Target
from stacks.support.shared_resources import AlbumJobs, PhotoStorage

# Requests per second and burst: for each method (all callers together), and for each API key.
_METHOD_THROTTLE = apigateway.ThrottleSettings(rate_limit=50, burst_limit=100)
_KEY_THROTTLE = apigateway.ThrottleSettings(rate_limit=10, burst_limit=40)
_KEY_QUOTA = apigateway.QuotaSettings(limit=10_000, period=apigateway.Period.DAY)


class ApiStack(Stack):
    """The REST API, its function, its API key, and its access log.

    Args:
        allowed_cidr: Source addresses that can use the API and its presigned URLs. If None, no one can.

    Attributes:
        url: URL of the API, with a trailing slash.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        storage: PhotoStorage,
        album_jobs: AlbumJobs,
        allowed_cidr: str | None,
        target: Target,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        function = ApiFunction(
            self,
            "Function",
            storage=storage,
            album_jobs=album_jobs,
            allowed_cidr=allowed_cidr,
            target=target,
        )
        api = ContractApi(
            self,
            "Gateway",
            name=self.stack_name,
            function=function,
            allowed_cidr=allowed_cidr,
            throttle=_METHOD_THROTTLE,
        )
        plan = api.add_usage_plan(
            "Plan",
            api_stages=[apigateway.UsagePlanPerApiStage(api=api, stage=api.deployment_stage)],
            throttle=_KEY_THROTTLE,
            quota=_KEY_QUOTA,
        )
        key = api.add_api_key("Key", description="Allows uploads, deletions, and album requests")
        plan.add_api_key(key)
        self.url = api.url
        self.monitoring = Monitoring(
            "API",
            [*api_graphs(api), *function_graphs(function)],
            [
                create_alarm(
                    self,
                    "FaultsAlarm",
                    api.metric_server_error(period=PERIOD, statistic="Sum"),
                    threshold=5,
                    description="The API returned server errors. See the log of its function, then the access log.",
                )
            ],
        )

        CfnOutput(self, "ApiUrl", value=self.url)
        CfnOutput(self, "ApiKeyId", value=key.key_id)
