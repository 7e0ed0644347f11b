"""Lightsail, which the sandbox stubs with the rules of CloudFormation: it stores resources and serves nothing."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from local.sandbox import Sandbox

_STACK = "a-website"


def _template(server: str, blueprint: str = "ubuntu_24_04", attached_to: Any = None) -> str:
    properties = {"InstanceName": server, "BlueprintId": blueprint, "BundleId": "nano_3_0"}
    address = {"StaticIpName": "a-website", "AttachedTo": attached_to or {"Ref": "Server"}}
    return json.dumps(
        {
            "Resources": {
                "Server": {"Type": "AWS::Lightsail::Instance", "Properties": properties},
                "Address": {"Type": "AWS::Lightsail::StaticIp", "Properties": address},
            },
            "Outputs": {"Server": {"Value": {"Ref": "Server"}}},
        }
    )


@pytest.fixture
def put(sandbox: Sandbox) -> Iterator[Callable[[str], str]]:
    """Return a function that creates or updates a stack, and returns the name of its instance."""
    client = sandbox.client("cloudformation")
    created = False

    def put(template: str) -> str:
        nonlocal created
        (client.update_stack if created else client.create_stack)(StackName=_STACK, TemplateBody=template)
        waiter = client.get_waiter("stack_update_complete" if created else "stack_create_complete")
        created = True
        waiter.wait(StackName=_STACK, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})
        (stack,) = client.describe_stacks(StackName=_STACK)["Stacks"]
        server: str = stack["Outputs"][0]["OutputValue"]
        return server

    yield put
    client.delete_stack(StackName=_STACK)
    client.get_waiter("stack_delete_complete").wait(StackName=_STACK, WaiterConfig={"Delay": 0.1})


def test_website_url_is_a_documentation_address(sandbox: Sandbox) -> None:
    assert sandbox.outputs["Lightsail"]["WebsiteUrl"] == "http://203.0.113.80"


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
