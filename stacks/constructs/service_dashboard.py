"""A dashboard for several services."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from stacks.constructs.monitoring import Monitoring

# A dashboard has 24 columns. Four graphs in a row stay readable.
_COLUMNS = 24
_GRAPH_WIDTH = 6


class ServiceDashboard(cloudwatch.Dashboard):
    """A dashboard with the state of all alarms and a section for each service with its graphs or its log."""

    def __init__(self, scope: Construct, construct_id: str, *, name: str, monitoring: Sequence[Monitoring]) -> None:
        super().__init__(scope, construct_id, dashboard_name=name)
        alarms = [alarm for service in monitoring for alarm in service.alarms]
        self.add_widgets(cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=_COLUMNS, height=2))
        for service in monitoring:
            self._add_section(service)

    def _add_section(self, service: Monitoring) -> None:
        heading = f"## {service.service}\n{service.note}".strip()
        self.add_widgets(cloudwatch.TextWidget(markdown=heading, width=_COLUMNS, height=len(heading.splitlines())))
        self.add_widgets(
            *(
                cloudwatch.GraphWidget(title=graph.title, left=list(graph.metrics), width=_GRAPH_WIDTH)
                for graph in service.graphs
            )
        )
        if service.log:
            self.add_widgets(
                cloudwatch.LogQueryWidget(
                    title="Latest log lines",
                    log_group_names=[service.log.log_group_name],
                    query_lines=["fields @timestamp, @message", "sort @timestamp desc", "limit 20"],
                    width=_COLUMNS,
                )
            )
