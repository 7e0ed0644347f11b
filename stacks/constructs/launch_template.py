"""A launch template with the settings that all EC2 instances of this app share."""

from typing import Any

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

# GiB; the smallest that the ECS-optimized image accepts.
_DISK = 30


class HardenedLaunchTemplate(ec2.LaunchTemplate):
    """A launch template that requires IMDSv2, encrypts the disk, and deletes it with the instance.

    The hop limit of 1 keeps instance credentials from containers in bridge mode, and `ecs_instances.sh` keeps them from
    tasks with their own network interface. Batch containers use the network of their instance, so they can read its
    credentials ("Networking modes" in the Batch guide). Therefore, allow the instance role only what the instance
    itself calls.
    """

    def __init__(self, scope: Construct, construct_id: str, **properties: Any) -> None:
        super().__init__(
            scope,
            construct_id,
            require_imdsv2=True,
            http_put_response_hop_limit=1,
            block_devices=[
                ec2.BlockDevice(
                    device_name="/dev/xvda",
                    volume=ec2.BlockDeviceVolume.ebs(
                        _DISK, encrypted=True, volume_type=ec2.EbsDeviceVolumeType.GP3, delete_on_termination=True
                    ),
                )
            ],
            **properties,
        )
