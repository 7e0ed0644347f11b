"""Amazon Lightsail. In the notes: a "simpler alternative to using EC2, RDS, ELB", with "low & predictable pricing".

One monthly price covers a small instance with its disk, IP address, firewall, and data transfer. The instance serves
the gallery page: the same files that ECS serves.

The limits in the notes apply here, too:

- "No auto-scaling": there is one instance, and the website is unavailable while it is replaced.
- "Limited AWS integrations": the instance has no role, so it cannot call other AWS services, for example to
  download the page from S3. The page is therefore part of the user data, the script that runs at first boot.

The website uses plain HTTP, because a certificate needs a domain name. Lightsail is not available in every Region.
Where it is missing, as in us-west-1, do not deploy this stack.
"""

import hashlib
import json
from dataclasses import astuple
from pathlib import Path
from typing import Any

from aws_cdk import Aws, CfnCondition, CfnOutput, Fn, Stack
from aws_cdk import aws_lightsail as lightsail
from constructs import Construct

from stacks.constructs.monitoring import Monitoring
from stacks.support.lightsail_user_data import render_user_data
from stacks.support.shared_resources import GalleryUrls

_GALLERY_PAGE = Path(__file__).parent.parent / "containers" / "gallery" / "static"

# An operating system blueprint, because most application blueprints (WordPress, LAMP, Nginx, Node.js) can no longer
# create instances. Ubuntu, because it installs security updates automatically, until 2029, and no one logs in to this
# instance. Not Amazon Linux, because its package manager needs more than the 512 MB of memory of this instance
# (amazon-linux-2023 issue 404).
_BLUEPRINT = "ubuntu_24_04"

# Two Regions use other bundle names (examples in aws-cloudformation-resource-providers-lightsail).
_BUNDLE = "nano_3_0"
_BUNDLE_BY_REGION = {"ap-south-1": "nano_3_1", "ap-southeast-2": "nano_3_2"}

# Documentation addresses (RFC 5737 and RFC 3849), from which no traffic originates: no one can connect. An empty list
# of ports would have the opposite effect: CloudFormation ignores it, and the default firewall of Lightsail remains,
# which opens SSH and HTTP to the internet (Networking.java in aws-cloudformation-resource-providers-lightsail).
_NO_ONE = "192.0.2.1/32"
_NO_ONE_IPV6 = "2001:db8::1/128"


class LightsailStack(Stack):
    """One instance with its own static IP address that accepts HTTP from `allowed_cidr` and nothing else.

    The firewall takes effect minutes after the instance starts, because CloudFormation configures it on the running
    instance (UpdateHandler.java of the provider above). Until then, the default firewall accepts HTTP from anywhere,
    and SSH with the account's key.

    Args:
        allowed_cidr: IPv4 CIDR block that can visit the website. If None, no one can.
        urls: The API and the buckets, for the gallery page.

    Raises:
        UserDataError: The gallery page does not fit into the user data.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        allowed_cidr: str | None,
        urls: GalleryUrls,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)

        user_data = render_user_data(_GALLERY_PAGE, urls=urls)
        # The name contains a hash of the content. CloudFormation ignores a change of the user data alone, but replaces
        # the instance when its name changes.
        name = f"{self.stack_name}-{self._digest(user_data.hash, urls)}"
        instance = lightsail.CfnInstance(
            self,
            "Server",
            instance_name=name,
            blueprint_id=_BLUEPRINT,
            bundle_id=self._bundle(),
            user_data=user_data.script,
            networking=lightsail.CfnInstance.NetworkingProperty(
                # Ports that are not in this list are closed, including SSH.
                ports=[
                    lightsail.CfnInstance.PortProperty(
                        protocol="tcp",
                        from_port=80,
                        to_port=80,
                        cidrs=[allowed_cidr or _NO_ONE],
                        ipv6_cidrs=[_NO_ONE_IPV6],
                    )
                ]
            ),
            add_ons=[
                # Lightsail keeps seven daily snapshots and deletes them with the instance.
                lightsail.CfnInstance.AddOnProperty(
                    add_on_type="AutoSnapshot",
                    auto_snapshot_add_on_request=lightsail.CfnInstance.AutoSnapshotAddOnProperty(
                        snapshot_time_of_day="03:00"
                    ),
                )
            ],
        )
        # A new instance gets a new address, and the URL changes. CloudFormation would move an address by attaching it
        # to the new instance while it is still attached to the old one (UpdateHandler.java of the provider above). AWS
        # does not document that Lightsail accepts this. If it does not, the page could never be updated.
        address = lightsail.CfnStaticIp(self, "Address", static_ip_name=name, attached_to=instance.ref)

        self.monitoring = Monitoring("Website", note="See the Lightsail console for graphs: CloudWatch has none.")

        CfnOutput(self, "WebsiteUrl", value=f"http://{address.attr_ip_address}")

    def _bundle(self) -> str:
        bundle = _BUNDLE
        for region, name in _BUNDLE_BY_REGION.items():
            in_region = CfnCondition(self, f"In {region}", expression=Fn.condition_equals(Aws.REGION, region))
            bundle = Fn.condition_if(in_region.logical_id, name, bundle).to_string()
        return bundle

    def _digest(self, user_data: str, urls: GalleryUrls) -> str:
        # Resolve tokens first, because their text differs from one synthesis to the next.
        parts = [user_data, self.resolve(list(astuple(urls))), _BLUEPRINT, _BUNDLE]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:8]
