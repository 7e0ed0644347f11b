"""Lightsail in the sandbox: the website of the stack, replacement of instances, and the rules of CloudFormation."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import urllib3
from botocore.exceptions import WaiterError

from local.sandbox import Sandbox

_STACK = "a-website"

# Serves its argument.
_USER_DATA = """#!/bin/sh
mkdir -p /var/www/page
echo {page} > /var/www/page/index.html
rm /etc/nginx/sites-enabled/default
echo 'server {{ listen 80; root /var/www/page; }}' > /etc/nginx/sites-enabled/page
systemctl restart nginx
"""


def _template(
    server: str, *, blueprint: str = "ubuntu_24_04", attached_to: Any = None, address: str = "a-website", page: str = ""
) -> str:
    properties = {"InstanceName": server, "BlueprintId": blueprint, "BundleId": "nano_3_0"}
    if page:
        properties["UserData"] = _USER_DATA.format(page=page)
    attachment = {"StaticIpName": address, "AttachedTo": attached_to or {"Ref": "Server"}}
    return json.dumps(
        {
            "Resources": {
                "Server": {"Type": "AWS::Lightsail::Instance", "Properties": properties},
                "Address": {"Type": "AWS::Lightsail::StaticIp", "Properties": attachment},
            },
            "Outputs": {"Address": {"Value": {"Fn::GetAtt": ["Address", "IpAddress"]}}},
        }
    )


@pytest.fixture
def put(sandbox: Sandbox) -> Iterator[Callable[[str], str]]:
    """Return a function that creates or updates a stack, and returns the address of its instance."""
    client = sandbox.client("cloudformation")
    created = False

    def put(template: str) -> str:
        nonlocal created
        (client.update_stack if created else client.create_stack)(StackName=_STACK, TemplateBody=template)
        waiter = client.get_waiter("stack_update_complete" if created else "stack_create_complete")
        created = True
        waiter.wait(StackName=_STACK, WaiterConfig={"Delay": 0.1, "MaxAttempts": 600})
        (stack,) = client.describe_stacks(StackName=_STACK)["Stacks"]
        address: str = stack["Outputs"][0]["OutputValue"]
        return address

    yield put
    client.delete_stack(StackName=_STACK)
    client.get_waiter("stack_delete_complete").wait(StackName=_STACK, WaiterConfig={"Delay": 0.1, "MaxAttempts": 600})


def _get(address: str, path: str = "") -> bytes:
    return urllib3.request("GET", f"http://{address}/{path}", retries=False, timeout=60).data


def test_changed_page_is_served_by_a_new_instance_and_the_old_one_ends(put: Callable[[str], str]) -> None:
    before = put(_template("one", address="one", page="before"))
    assert _get(before) == b"before\n"
    after = put(_template("two", address="two", page="after"))
    assert _get(after) == b"after\n"
    with pytest.raises(urllib3.exceptions.HTTPError):
        _get(before)


def test_old_instance_serves_until_the_new_one_is_complete(put: Callable[[str], str]) -> None:
    before = put(_template("one", address="one", page="before"))
    with pytest.raises(WaiterError):
        put(_template("two", address="two", page="after; exit 1"))
    assert _get(before) == b"before\n"


def test_instances_and_addresses_are_listed(put: Callable[[str], str], sandbox: Sandbox) -> None:
    put(_template("one", address="its-address"))
    client = sandbox.client("lightsail")
    assert "one" in {instance["name"] for instance in client.get_instances()["instances"]}
    assert "its-address" in {address["name"] for address in client.get_static_ips()["staticIps"]}
    with pytest.raises(client.exceptions.InvalidInputException, match="GetDisks is not emulated"):
        client.get_disks()


def test_attached_static_ip_cannot_move_to_another_instance(put: Callable[[str], str]) -> None:
    put(_template("one"))
    with pytest.raises(WaiterError):
        put(_template("two"))


def test_new_blueprint_under_the_same_name_is_rejected(put: Callable[[str], str]) -> None:
    put(_template("one"))
    with pytest.raises(WaiterError):
        put(_template("one", blueprint="debian_12"))


def test_static_ip_requires_an_existing_instance(put: Callable[[str], str]) -> None:
    with pytest.raises(WaiterError):
        put(_template("one", attached_to="none"))
