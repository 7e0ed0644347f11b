"""Amazon Lightsail, as the notes see it: the simpler alternative to EC2 and its relatives, at a predictable price.

A small server with disk, address, firewall, daily snapshots and traffic for one price a month: great for a simple
website, and for people with little cloud experience. It serves the gallery's page, the same files that ECS serves.

What the notes warn of shows here too. No auto-scaling: it is one server, and its page is down while it is replaced.
Limited AWS integrations: no role, so it can call no AWS service and fetch its page from nowhere; the page comes with
the script of its first start. Plain HTTP, as a certificate needs a domain: give it one before it is more than a
sandbox. And it is not in every region: leave this stack out in us-west-1 and the like.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from aws_cdk import Aws, CfnCondition, CfnOutput, Fn, Stack
from aws_cdk import aws_lightsail as lightsail
from constructs import Construct

from stacks.constructs.monitoring import Monitoring
from stacks.support.lightsail_user_data import user_data

_PAGE = Path(__file__).parent.parent / "containers" / "gallery" / "static"

# An operating system: of the application blueprints (WordPress, LAMP, Nginx, Node.js) most create nothing any more.
# Ubuntu, as it installs security updates by itself, on a server that nobody logs on to, and gets them until 2029.
# Not Amazon Linux: its package manager runs out of the 512 MB that this server has (amazon-linux-2023 issue 404).
_BLUEPRINT = "ubuntu_24_04"

# In two regions there is none of the usual name (the examples of aws-cloudformation-resource-providers-lightsail).
_BUNDLE = "nano_3_0"
_BUNDLE_IN = {"ap-south-1": "nano_3_1", "ap-southeast-2": "nano_3_2"}

# Addresses of documentation (RFC 5737 and RFC 3849), from which nothing ever comes. They stand for "nobody", because
# no port at all means something else: CloudFormation skips an empty list and leaves Lightsail's own firewall, with SSH
# and HTTP open to the world (Networking.java in aws-cloudformation-resource-providers-lightsail).
_NOBODY = "192.0.2.1/32"
_NOBODY_IPV6 = "2001:db8::1/128"


class LightsailStack(Stack):
    """One server with a fixed address, reached by HTTP from `allowed_cidr` and by nothing else, once it is set up.

    In the minutes before, Lightsail's own firewall is in force: HTTP from anywhere, and SSH for who holds the account's
    key. CloudFormation sets ours when the server runs (UpdateHandler.java of the provider named above).

    allowed_cidr: IPv4; None lets nobody in
    api_url: what the page calls; None serves the page without an API
    Raises UserDataError if the page does not fit into the server's user data.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        allowed_cidr: str | None,
        api_url: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)

        first_start = user_data(_PAGE, api_url=api_url)
        server = lightsail.CfnInstance(
            self,
            "Server",
            # What it is made of is in its name: CloudFormation does nothing when only the user data changes, but makes
            # a new server for a new name (and could not under the old one, as names are unique).
            instance_name=f"{self.stack_name}-{self._digest(first_start.hash, api_url)}",
            blueprint_id=_BLUEPRINT,
            bundle_id=self._bundle(),
            user_data=first_start.script,
            networking=lightsail.CfnInstance.NetworkingProperty(
                # Whatever is not in this list is closed, SSH too.
                ports=[
                    lightsail.CfnInstance.PortProperty(
                        protocol="tcp",
                        from_port=80,
                        to_port=80,
                        cidrs=[allowed_cidr or _NOBODY],
                        ipv6_cidrs=[_NOBODY_IPV6],
                    )
                ]
            ),
            add_ons=[
                # Of each day of the last week; they go with the server.
                lightsail.CfnInstance.AddOnProperty(
                    add_on_type="AutoSnapshot",
                    auto_snapshot_add_on_request=lightsail.CfnInstance.AutoSnapshotAddOnProperty(
                        snapshot_time_of_day="03:00"
                    ),
                )
            ],
        )
        address = lightsail.CfnStaticIp(
            self, "Address", static_ip_name=f"{self.stack_name}-address", attached_to=server.ref
        )

        self.monitoring = Monitoring(
            "Website", note="Its graphs are in the Lightsail console: CloudWatch has none of them."
        )

        CfnOutput(self, "WebsiteUrl", value=f"http://{address.attr_ip_address}")

    def _bundle(self) -> str:
        bundle = _BUNDLE
        for region, name in _BUNDLE_IN.items():
            here = CfnCondition(self, f"In {region}", expression=Fn.condition_equals(Aws.REGION, region))
            bundle = Fn.condition_if(here.logical_id, name, bundle).to_string()
        return bundle

    def _digest(self, first_start: str, api_url: str | None) -> str:
        # Resolved, as the text of a token differs from one synth to the next.
        parts = [first_start, self.resolve(api_url), _BLUEPRINT, _BUNDLE]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:8]
