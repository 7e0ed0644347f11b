"""What a service publishes for monitoring: graphs, alarms, and failure events. `GuardrailsStack` uses them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

PERIOD = Duration.minutes(5)


@dataclass(frozen=True)
class Graph:
    """Metrics that one widget of the dashboard shows together."""

    title: str
    metrics: Sequence[cloudwatch.IMetric]


@dataclass(frozen=True)
class FailureEvent:
    """A failure that an operator must handle, and that AWS reports as an event instead of a metric.

    Attributes:
        name: Construct id of the EventBridge rule.
        message: What happened and what to do. Can contain `event_fields`.
    """

    name: str
    description: str
    pattern: events.EventPattern
    message: str


@dataclass(frozen=True)
class Monitoring:
    """What a service publishes for monitoring.

    Attributes:
        service: Heading on the dashboard.
        alarms: Alarms that an operator must handle. The description of each names the action.
        log: Log group whose latest lines the dashboard shows, for a service without metrics.
        note: Where to find other metrics.
    """

    service: str
    graphs: Sequence[Graph] = ()
    alarms: Sequence[cloudwatch.IAlarm] = ()
    failure_events: Sequence[FailureEvent] = ()
    log: logs.ILogGroup | None = None
    note: str = ""


def event_fields(*paths: str) -> list[str]:
    """Return placeholders for these paths below `detail` in an event, for use in a message."""
    return [events.EventField.from_path(f"$.detail.{path}") for path in paths]


def create_alarm(
    scope: Construct, construct_id: str, metric: cloudwatch.IMetric, *, threshold: float, description: str
) -> cloudwatch.Alarm:
    """Create an alarm that changes to ALARM when one period reaches the threshold. Missing data is OK."""
    return cloudwatch.Alarm(
        scope,
        construct_id,
        metric=metric,
        alarm_description=description,
        threshold=threshold,
        evaluation_periods=1,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )


def dead_letter_alarm(
    scope: Construct, construct_id: str, dead_letter_queue: sqs.IQueue, *, description: str
) -> cloudwatch.Alarm:
    """Create an alarm for the first message in a dead-letter queue."""
    messages = dead_letter_queue.metric_approximate_number_of_messages_visible(period=PERIOD, statistic="Maximum")
    return create_alarm(scope, construct_id, messages, threshold=1, description=description)


def function_graphs(function: lambda_.IFunction) -> list[Graph]:
    """Invocations, errors, and throttles of a function, and its duration."""
    invocations = [
        function.metric_invocations(period=PERIOD, label="invocations"),
        function.metric_errors(period=PERIOD, label="errors"),
        function.metric_throttles(period=PERIOD, label="throttles"),
    ]
    duration = _statistics(function.metric_duration, "p50", "p95", "max")
    return [Graph("Invocations, errors, throttles", invocations), Graph("Duration (ms)", duration)]


def api_graphs(api: apigateway.RestApi) -> list[Graph]:
    """Requests to an API, its errors, and its latency."""
    requests = [
        api.metric_count(period=PERIOD, label="requests"),
        api.metric_client_error(period=PERIOD, label="client errors (4xx)"),
        api.metric_server_error(period=PERIOD, label="server errors (5xx)"),
    ]
    return [Graph("Requests, errors", requests), Graph("Latency (ms)", _statistics(api.metric_latency, "p50", "p95"))]


def queue_graphs(queue: sqs.IQueue, dead_letter_queue: sqs.IQueue) -> list[Graph]:
    """Messages in a queue and in its dead-letter queue, and the age of the oldest message."""
    messages = [
        queue.metric_approximate_number_of_messages_visible(period=PERIOD, label="visible"),
        queue.metric_approximate_number_of_messages_not_visible(period=PERIOD, label="in flight"),
        *dead_letter_queue_graph(dead_letter_queue).metrics,
    ]
    age = queue.metric_approximate_age_of_oldest_message(period=PERIOD, statistic="max", label="oldest message")
    return [Graph("Messages", messages), Graph("Age (s)", [age])]


def dead_letter_queue_graph(dead_letter_queue: sqs.IQueue) -> Graph:
    """Messages in a dead-letter queue."""
    metric = dead_letter_queue.metric_approximate_number_of_messages_visible(period=PERIOD, label="dead-letter queue")
    return Graph("Dead-letter queue", [metric])


def load_balancer_graphs(load_balancer: elbv2.ApplicationLoadBalancer) -> list[Graph]:
    """Requests to a load balancer, errors of its targets, and their response time."""
    metrics, code = load_balancer.metrics, elbv2.HttpCodeTarget.TARGET_5XX_COUNT
    requests = [
        metrics.request_count(period=PERIOD, label="requests"),
        metrics.http_code_target(code, period=PERIOD, label="server errors (5xx)"),
    ]
    response_time = _statistics(metrics.target_response_time, "p50", "p95")
    return [Graph("Requests, errors", requests), Graph("Response time (s)", response_time)]


def service_graph(title: str, service: ecs.BaseService) -> Graph:
    """CPU and memory utilization of an ECS service, in percent of what its tasks reserve."""
    cpu = service.metric_cpu_utilization(period=PERIOD, label="CPU")
    return Graph(title, [cpu, service.metric_memory_utilization(period=PERIOD, label="memory")])


def task_graph(title: str, service: ecs.BaseService) -> Graph:
    """Running tasks of an ECS service: each reports its CPU utilization once a minute ("Amazon ECS CloudWatch metrics
    use cases" in the ECS guide)."""
    tasks = service.metric_cpu_utilization(period=Duration.minutes(1), statistic="SampleCount", label="tasks")
    return Graph(title, [tasks])


def service_failure(name: str, kind: str, *services: ecs.BaseService) -> FailureEvent:
    """An alert for ECS services: a deployment is rolled back, tasks fit on no instance, or tasks stop repeatedly.

    Args:
        name: Construct id of the EventBridge rule.
        kind: What the services run, such as "Gallery".
    """
    event, reason = event_fields("eventName", "reason")
    # "Amazon ECS service action events" and "Amazon ECS service deployment state change events" in the ECS guide.
    names = ["SERVICE_DEPLOYMENT_FAILED", "SERVICE_TASK_PLACEMENT_FAILURE", "SERVICE_TASK_START_IMPAIRED"]
    return FailureEvent(
        name,
        f"A {kind.lower()} service failed to deploy, place, or start tasks",
        events.EventPattern(
            source=["aws.ecs"],
            detail_type=["ECS Deployment State Change", "ECS Service Action"],
            resources=[service.service_arn for service in services],
            detail={"eventName": names},
        ),
        f"{kind}: {event}. {reason} See the service events in the ECS console and the task logs. Deploy the previous "
        "version again, or add capacity for its tasks.",
    )


def _statistics(metric: Callable[..., cloudwatch.Metric], *statistics: str) -> list[cloudwatch.Metric]:
    return [metric(period=PERIOD, statistic=statistic, label=statistic) for statistic in statistics]
