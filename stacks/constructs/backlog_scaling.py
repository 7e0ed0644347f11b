"""Scaling of an ECS service by the backlog of a queue: from zero tasks, and back to zero."""

from aws_cdk import Duration, Stack
from aws_cdk import aws_applicationautoscaling as appscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.scheduler_role import scheduler_role

# Messages for each task, which needs less than a minute for them: a worker processes several photos per second.
_MESSAGES_PER_TASK = 50

# Each time that the oldest message has waited so long, one more task runs: photos can be large, and a task can hang.
_SECONDS_PER_TASK = 120

_PERIOD = Duration.minutes(1)  # SQS publishes its metrics every minute
_IDLE_PERIODS = 5

# An alarm repeats its scaling action every minute ("Alarm actions" in the CloudWatch guide), so the number of tasks
# follows the backlog in both directions. The default cooldown of an ECS service is five minutes.
_COOLDOWN = Duration.minutes(1)


class BacklogScaling(Construct):
    """Scales a service from zero to `max_tasks` tasks, with one task for each 50 messages or two minutes of waiting.

    Target tracking, which scales the gallery, cannot scale from zero: the backlog per task is infinite without a task.

    Args:
        max_tasks: Maximum number of tasks.

    Attributes:
        work: The metric that determines the number of tasks. It is 0 if the queue is empty and all messages are done.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, service: ecs.BaseService, queue: sqs.IQueue, max_tasks: int
    ) -> None:
        super().__init__(scope, construct_id)
        self.work = _work(queue)
        self._target = appscaling.ScalableTarget(
            self,
            "Target",
            service_namespace=appscaling.ServiceNamespace.ECS,
            scalable_dimension="ecs:service:DesiredCount",
            resource_id=f"service/{service.cluster.cluster_name}/{service.service_name}",
            min_capacity=0,
            max_capacity=max_tasks,
            role=self._service_linked_role(),
        )
        out = self._action("Out")
        for tasks in range(1, max_tasks + 1):
            out.add_adjustment(
                adjustment=tasks,
                lower_bound=(tasks - 1) * _MESSAGES_PER_TASK,
                upper_bound=tasks * _MESSAGES_PER_TASK if tasks < max_tasks else None,
            )
        self._alarm(
            "Waiting",
            out,
            threshold=1,
            operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            periods=1,
            description="Scales the workers out, and in to one: messages wait or are in progress.",
        )
        to_zero = self._action("In")
        to_zero.add_adjustment(adjustment=0, upper_bound=0)
        self._alarm(
            "Idle",
            to_zero,
            threshold=0,
            operator=cloudwatch.ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD,
            periods=_IDLE_PERIODS,
            description="Scales the workers to zero: no message waits or is in progress.",
        )
        self._keep_active(queue)

    def _action(self, construct_id: str) -> appscaling.StepScalingAction:
        return appscaling.StepScalingAction(
            self,
            construct_id,
            scaling_target=self._target,
            adjustment_type=appscaling.AdjustmentType.EXACT_CAPACITY,
            metric_aggregation_type=appscaling.MetricAggregationType.MAXIMUM,
            cooldown=_COOLDOWN,
        )

    def _alarm(
        self,
        construct_id: str,
        action: appscaling.StepScalingAction,
        *,
        threshold: int,
        operator: cloudwatch.ComparisonOperator,
        periods: int,
        description: str,
    ) -> None:
        alarm = self.work.create_alarm(
            self,
            construct_id,
            alarm_description=description,
            threshold=threshold,
            comparison_operator=operator,
            evaluation_periods=periods,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,  # without data, the number of tasks remains
        )
        alarm.add_alarm_action(actions.ApplicationScalingAction(action))

    def _service_linked_role(self) -> iam.IRole:
        """The role that Application Auto Scaling creates in an account and uses for all services."""
        arn = Stack.of(self).format_arn(
            service="iam",
            region="",
            resource="role/aws-service-role/ecs.application-autoscaling.amazonaws.com",
            resource_name="AWSServiceRoleForApplicationAutoScaling_ECSService",
        )
        return iam.Role.from_role_arn(self, "Role", arn)

    def _keep_active(self, queue: sqs.IQueue) -> None:
        """Call an API action on the queue every hour.

        SQS publishes no metrics for a queue without messages and calls for six hours, and needs up to 15 minutes to
        publish them again ("Monitoring Amazon SQS queues using CloudWatch"): the first photo of a day would wait so
        long for its task. EventBridge Scheduler cannot call a read-only action ("Using universal targets" in its
        guide), so it removes a tag that does not exist.
        """
        scheduler.Schedule(
            self,
            "KeepActive",
            description="Keeps the upload queue active, so that SQS publishes its metrics without delay",
            schedule=scheduler.ScheduleExpression.rate(Duration.hours(1)),
            target=targets.Universal(
                service="sqs",
                action="untagQueue",
                input=scheduler.ScheduleTargetInput.from_object({"QueueUrl": queue.queue_url, "TagKeys": ["none"]}),
                role=scheduler_role(self, "SchedulerRole"),
                policy_statements=[iam.PolicyStatement(actions=["sqs:UntagQueue"], resources=[queue.queue_arn])],
                retry_attempts=2,
                max_event_age=Duration.minutes(30),
            ),
        )


def _work(queue: sqs.IQueue) -> cloudwatch.MathExpression:
    """Messages that wait or are in progress, and for each two minutes of waiting as many more as one task takes."""
    return cloudwatch.MathExpression(
        # SQS publishes the second and the third metric only while there are such messages ("Available CloudWatch
        # metrics for Amazon SQS"). The first one must not be filled: it can be late, and 0 would stop the workers.
        expression="visible + FILL(in_flight, 0) + "
        f"IF(visible > 0, {_MESSAGES_PER_TASK} * FLOOR(FILL(age, 0) / {_SECONDS_PER_TASK}), 0)",
        using_metrics={
            "visible": queue.metric_approximate_number_of_messages_visible(statistic="Maximum"),
            "in_flight": queue.metric_approximate_number_of_messages_not_visible(statistic="Maximum"),
            "age": queue.metric_approximate_age_of_oldest_message(statistic="Maximum"),
        },
        period=_PERIOD,
        label="work",
    )
