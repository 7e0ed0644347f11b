"""A REST API whose routes, models, and errors come from `lambda_src/api/contract.py`."""

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_xray as xray
from constructs import Construct

from api.contract import REQUESTS, ROUTES
from stacks.constructs.access_log import AccessLog
from stacks.constructs.gateway_responses import add_gateway_responses
from stacks.support.cdk_nag import acknowledge

# Of the requests.
_TRACED_SHARE = 0.05


class ContractApi(apigateway.RestApi):
    """A Regional REST API with an access log, tracing, and request validation.

    Args:
        function: Handles all routes.
        allowed_cidr: Source addresses that can call the API. If None, no one can.
        throttle: Limit for each method, for all callers together.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        function: lambda_.IFunction,
        allowed_cidr: str | None,
        throttle: apigateway.ThrottleSettings,
    ) -> None:
        log = AccessLog(scope, "AccessLog", name=name)
        super().__init__(
            scope,
            construct_id,
            rest_api_name=name,
            description="Photos and albums",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            policy=_allow_only(allowed_cidr),
            cloud_watch_role=False,  # this role is an account-wide setting
            deploy_options=apigateway.StageOptions(
                stage_name="v1",
                access_log_destination=log.destination,
                access_log_format=log.format,
                tracing_enabled=True,
                throttling_rate_limit=throttle.rate_limit,
                throttling_burst_limit=throttle.burst_limit,
            ),
            default_cors_preflight_options=apigateway.CorsOptions(
                # CORS allows any origin, because the gallery's URL is not known before this stack is deployed. A page
                # of another origin can read if its visitor has an allowed address, but cannot write without a key. If
                # you own a domain, allow only that origin.
                allow_origins=apigateway.Cors.ALL_ORIGINS,
                allow_methods=sorted({route.method for route in ROUTES}),
                allow_headers=["Content-Type", "X-Api-Key"],
                max_age=Duration.hours(2),
            ),
        )
        self.node.try_remove_child("Endpoint")  # an output that the CDK adds, and that duplicates ApiUrl
        self._trace_some_requests(scope, name)
        self._add_routes(scope, function)
        add_gateway_responses(self)
        acknowledge(
            self,
            APIG3="A web ACL costs more per month than the whole API, and the resource policy limits source addresses",
        )
        acknowledge(self, APIG4="Reads are authorized by source address; writes also require an API key")
        acknowledge(self, COG4="The sandbox has one network and one key, and no user accounts")
        acknowledge(self, APIG6="Execution logs need a role that is an account setting; the function has its own log")

    def _add_routes(self, scope: Construct, function: lambda_.IFunction) -> None:
        # One Lambda permission for the whole API: one for each method would exceed the size limit of the function's
        # policy.
        integration = apigateway.LambdaIntegration(function, scope_permission_to_method=False)
        validator = self.add_request_validator(
            "Validator", validate_request_body=True, validate_request_parameters=True
        )
        models = {name: self._model(scope, name) for name in REQUESTS}
        for route in ROUTES:
            self.root.resource_for_path(route.path).add_method(
                route.method,
                integration,
                operation_name=route.name,
                api_key_required=route.needs_key,
                request_validator=validator,
                request_models={"application/json": models[route.body]} if route.body else None,
            )

    def _trace_some_requests(self, scope: Construct, name: str) -> None:
        # The default rule of an account traces the first request of each second, too: almost all requests of a small
        # API. Traces cost more than the requests themselves. This rule matches the requests of this stage only.
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-configuring-xray-sampling-rules.html
        stage = self.deployment_stage
        xray.CfnSamplingRule(
            scope,
            "Sampling",
            sampling_rule=xray.CfnSamplingRule.SamplingRuleProperty(
                rule_name=name,
                priority=1000,
                reservoir_size=0,
                fixed_rate=_TRACED_SHARE,
                service_type="AWS::ApiGateway::Stage",
                service_name=f"{name}/{stage.stage_name}",
                resource_arn=stage.stage_arn,
                host="*",
                http_method="*",
                url_path="*",
                version=1,
            ),
        )

    def _model(self, scope: Construct, name: str) -> apigateway.IModel:
        # The L1, because it takes a JSON Schema unchanged.
        schema = {"$schema": "http://json-schema.org/draft-04/schema#", **REQUESTS[name]}
        model = apigateway.CfnModel(
            scope, name, rest_api_id=self.rest_api_id, name=name, content_type="application/json", schema=schema
        )
        deployment = self.latest_deployment
        assert deployment is not None
        deployment.add_to_logical_id({name: schema})  # a changed model needs a new deployment
        deployment.node.add_dependency(model)
        return apigateway.Model.from_model_name(scope, f"{name}Model", model.ref)


def _allow_only(allowed_cidr: str | None) -> iam.PolicyDocument:
    """The resource policy. Without a policy, API Gateway accepts requests from any address."""
    statement = iam.PolicyStatement(
        effect=iam.Effect.ALLOW if allowed_cidr else iam.Effect.DENY,
        principals=[iam.AnyPrincipal()],
        actions=["execute-api:Invoke"],
        resources=["execute-api:/*"],
        conditions={"IpAddress": {"aws:SourceIp": allowed_cidr}} if allowed_cidr else None,
    )
    return iam.PolicyDocument(statements=[statement])
