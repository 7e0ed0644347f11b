"""What a service shows to whoever keeps watch: graphs for the dashboard, alarms and failure_events for a person."""

from collections.abc import Sequence
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

# As fine as the metrics come, and as coarse as a dashboard of hours needs.
_PERIOD = Duration.minutes(5)


@dataclass(frozen=True)
class Graph:
    """Some metrics that are read together."""

    title: str
    metrics: Sequence[cloudwatch.IMetric]


@dataclass(frozen=True)
class FailureEvent:
    """Something a person must act on, which AWS reports as an event and not as a metric.

    name: of the rule, in the stack that tells of it
    message: what happened and what to do, with fields of the event
    """

    name: str
    description: str
    pattern: events.EventPattern
    message: str


@dataclass(frozen=True)
class Monitoring:
    """A service on the dashboard.

    alarms: each of them asks a person to act, and its description says how
    log: of which the newest lines are shown, where no metric says how the service does
    note: where else to look
    """

    service: str
    graphs: Sequence[Graph] = ()
    alarms: Sequence[cloudwatch.IAlarm] = ()
    failure_events: Sequence[FailureEvent] = ()
    log: logs.ILogGroup | None = None
    note: str = ""


def function_graphs(function: lambda_.IFunction) -> list[Graph]:
    """How often a function is called, fails or is throttled, and how long it takes."""
    return [
        Graph(
            "Calls, errors, throttles",
            [
                function.metric_invocations(period=_PERIOD, label="calls"),
                function.metric_errors(period=_PERIOD, label="errors"),
                function.metric_throttles(period=_PERIOD, label="throttles"),
            ],
        ),
        Graph(
            "Duration (ms)",
            [
                function.metric_duration(period=_PERIOD, statistic=statistic, label=statistic)
                for statistic in ("p50", "p95", "max")
            ],
        ),
    ]


def api_graphs(api: apigateway.RestApi) -> list[Graph]:
    """How much is asked of an API, how much of it is refused or fails, and how long answers take."""
    return [
        Graph(
            "Requests, refusals, faults",
            [
                api.metric_count(period=_PERIOD, label="requests"),
                api.metric_client_error(period=_PERIOD, label="refused (4xx)"),
                api.metric_server_error(period=_PERIOD, label="faults (5xx)"),
            ],
        ),
        Graph(
            "Latency (ms)",
            [api.metric_latency(period=_PERIOD, statistic=statistic, label=statistic) for statistic in ("p50", "p95")],
        ),
    ]


def queue_graphs(queue: sqs.IQueue, dead_letter_queue: sqs.IQueue) -> list[Graph]:
    """How much waits in a queue and for how long, and how much was given up."""
    return [
        Graph(
            "Messages",
            [
                queue.metric_approximate_number_of_messages_visible(period=_PERIOD, label="waiting"),
                queue.metric_approximate_number_of_messages_not_visible(period=_PERIOD, label="in work"),
                dead_letter_queue.metric_approximate_number_of_messages_visible(period=_PERIOD, label="dead letters"),
            ],
        ),
        Graph(
            "Longest wait (s)",
            [queue.metric_approximate_age_of_oldest_message(period=_PERIOD, statistic="max", label="oldest message")],
        ),
    ]


def dead_letter_queue_graph(dead_letter_queue: sqs.IQueue) -> Graph:
    """How much was given up."""
    waiting = dead_letter_queue.metric_approximate_number_of_messages_visible(period=_PERIOD, label="dead letters")
    return Graph("Given up", [waiting])


def load_balancer_graphs(load_balancer: elbv2.ApplicationLoadBalancer) -> list[Graph]:
    """How many requests visitors send, how many fail, and how long answers take."""
    metrics, code = load_balancer.metrics, elbv2.HttpCodeTarget.TARGET_5XX_COUNT
    return [
        Graph(
            "Requests, faults",
            [
                metrics.request_count(period=_PERIOD, label="requests"),
                metrics.http_code_target(code, period=_PERIOD, label="faults (5xx)"),
            ],
        ),
        Graph(
            "Response time (s)",
            [
                metrics.target_response_time(period=_PERIOD, statistic=statistic, label=statistic)
                for statistic in ("p50", "p95")
            ],
        ),
    ]


def service_graph(title: str, service: ecs.BaseService) -> Graph:
    """How much of what they may use the tasks of a service use."""
    return Graph(
        title,
        [
            service.metric_cpu_utilization(period=_PERIOD, label="processor"),
            service.metric_memory_utilization(period=_PERIOD, label="memory"),
        ],
    )
