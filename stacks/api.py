"""Amazon API Gateway, with Lambda the notes' way to "expose Lambda functions as HTTP API".

"Serverless and scalable", no server between the page and the function. Of what the notes list as built in, this uses:

- security: a resource policy lets in `allowed_cidr` and nobody else;
- API keys: whoever writes needs one, and a usage plan bounds what can be done with it;
- throttling: of the whole stage besides, as a new account runs only ten functions at once (Lambda quotas);
- monitoring: an access log, traces, metrics with an alarm.

    client → API Gateway: address, key, throttle, body → function `api` → catalogue, albums' jobs, signed links
    client → S3, by those links: uploads and downloads, past the API and its limits

Not caching, which the notes list too: it is a server by the hour. Not user authentication: there are no users.
Routes and bodies come from `lambda_src/api/contract.py`, as the function's own checks and `docs/openapi.json` do.
"""

from typing import Any

from aws_cdk import CfnOutput, Duration, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from constructs import Construct

from api.contract import REQUESTS, ROUTES
from stacks.constructs.access_log import AccessLog
from stacks.constructs.api_function import ApiFunction
from stacks.constructs.gateway_responses import add_gateway_responses
from stacks.constructs.monitoring import Monitoring, api_graphs, function_graphs
from stacks.support.cdk_nag import acknowledge
from stacks.support.settings import Target
from stacks.support.shared_resources import AlbumJobs, PhotoStorage

_STAGE = "v1"

# Requests a second, and how many of them may come at once: of each method by anyone, and of an API key.
_OF_ANYONE = apigateway.ThrottleSettings(rate_limit=50, burst_limit=100)
_OF_A_KEY = apigateway.ThrottleSettings(rate_limit=10, burst_limit=40)
_OF_A_KEY_A_DAY = 10_000


class ApiStack(Stack):
    """The REST API, the function behind it, its key and its access log.

    allowed_cidr: who may use the API and the links it signs; None: nobody

    url: ends with a slash
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
        self.function = ApiFunction(
            self,
            "Function",
            storage=storage,
            album_jobs=album_jobs,
            allowed_cidr=allowed_cidr,
            target=target,
        )
        self.api = self._gateway(allowed_cidr)
        self._routes()
        add_gateway_responses(self.api)
        key = self._key()
        self.url = self.api.url
        self.monitoring = Monitoring("API", [*api_graphs(self.api), *function_graphs(self.function)], [self._alarm()])

        CfnOutput(self, "ApiUrl", value=self.url)
        CfnOutput(self, "ApiKeyId", value=key.key_id)

    def _gateway(self, allowed_cidr: str | None) -> apigateway.RestApi:
        log = AccessLog(self, "AccessLog", name=self.stack_name)
        api = apigateway.RestApi(
            self,
            "Gateway",
            rest_api_name=self.stack_name,
            description="Photos and albums",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            policy=_only_from(allowed_cidr),
            cloud_watch_role=False,  # a setting of the whole account
            deploy_options=apigateway.StageOptions(
                stage_name=_STAGE,
                access_log_destination=log.destination,
                access_log_format=log.format,
                tracing_enabled=True,
                throttling_rate_limit=_OF_ANYONE.rate_limit,
                throttling_burst_limit=_OF_ANYONE.burst_limit,
            ),
            default_cors_preflight_options=apigateway.CorsOptions(
                # Of any origin: where the page is served from is known later than this. So a page of elsewhere, opened
                # at an allowed address, can read what needs no key, if it knows this URL. It can change nothing: the
                # key is with the gallery's own page. With a domain of your own, allow that origin only.
                allow_origins=apigateway.Cors.ALL_ORIGINS,
                allow_methods=sorted({route.method for route in ROUTES}),
                allow_headers=["Content-Type", "X-Api-Key"],
                max_age=Duration.hours(2),
            ),
        )
        api.node.try_remove_child("Endpoint")  # an output of the CDK's own: here it is ApiUrl
        acknowledge(
            api, APIG3="A firewall costs more a month than all else here: the resource policy lets in one network"
        )
        acknowledge(api, APIG4="Reading is for whoever is let in by address; writing needs an API key besides")
        acknowledge(api, COG4="There are no users to know apart: one address, one key")
        acknowledge(api, APIG6="Execution logs go by a role of the whole account; the function logs what it does")
        return api

    def _routes(self) -> None:
        integration = apigateway.LambdaIntegration(
            self.function,
            scope_permission_to_method=False,  # one permission for all
        )
        validator = self.api.add_request_validator(
            "Validator", validate_request_body=True, validate_request_parameters=True
        )
        models = {name: self._model(name) for name in REQUESTS}
        for route in ROUTES:
            self.api.root.resource_for_path(route.path).add_method(
                route.method,
                integration,
                operation_name=route.name,
                api_key_required=route.needs_key,
                request_validator=validator,
                request_models={"application/json": models[route.body]} if route.body else None,
            )

    def _model(self, name: str) -> apigateway.IModel:
        # The L1, as it takes a schema as it is.
        schema = {"$schema": "http://json-schema.org/draft-04/schema#", **REQUESTS[name]}
        model = apigateway.CfnModel(
            self, name, rest_api_id=self.api.rest_api_id, name=name, content_type="application/json", schema=schema
        )
        deployment = self.api.latest_deployment
        assert deployment is not None
        deployment.add_to_logical_id({name: schema})  # a changed model takes effect with a new deployment only
        deployment.node.add_dependency(model)
        return apigateway.Model.from_model_name(self, f"{name}Model", model.ref)

    def _key(self) -> apigateway.IApiKey:
        plan = self.api.add_usage_plan(
            "Plan",
            api_stages=[apigateway.UsagePlanPerApiStage(api=self.api, stage=self.api.deployment_stage)],
            throttle=_OF_A_KEY,
            quota=apigateway.QuotaSettings(limit=_OF_A_KEY_A_DAY, period=apigateway.Period.DAY),
        )
        key = self.api.add_api_key("Key", description="For whoever may upload, delete and order albums")
        plan.add_api_key(key)
        return key

    def _alarm(self) -> cloudwatch.Alarm:
        return self.api.metric_server_error(period=Duration.minutes(5), statistic="Sum").create_alarm(
            self,
            "FaultsAlarm",
            alarm_description="The API answered with faults. See the log of its function, and the access log for more.",
            threshold=5,
            evaluation_periods=1,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )


def _only_from(allowed_cidr: str | None) -> iam.PolicyDocument:
    """A resource policy that lets these addresses in, or nobody. Without one, API Gateway lets in everyone."""
    statement = iam.PolicyStatement(
        effect=iam.Effect.ALLOW if allowed_cidr else iam.Effect.DENY,
        principals=[iam.AnyPrincipal()],
        actions=["execute-api:Invoke"],
        resources=["execute-api:/*"],
        conditions={"IpAddress": {"aws:SourceIp": allowed_cidr}} if allowed_cidr else None,
    )
    return iam.PolicyDocument(statements=[statement])
