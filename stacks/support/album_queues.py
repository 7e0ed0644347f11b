"""The jobs that make an album, as those who order one know them."""

from dataclasses import dataclass

from aws_cdk import aws_batch as batch


@dataclass(frozen=True)
class AlbumQueues:
    """Two queues and a job definition for each, all without a revision: who submits a job gets the newest.

    page_queue, page_job: for the array job of the pages, on EC2
    bind_queue, bind_job: for the one job that depends on it, on Fargate
    """

    page_queue: batch.IJobQueue
    page_job: batch.IJobDefinition
    bind_queue: batch.IJobQueue
    bind_job: batch.IJobDefinition
