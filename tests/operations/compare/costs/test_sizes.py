"""Sizes read from the synthesized templates of each value of `thumbnails_on`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from operations.cdk import Assembly
from operations.compare.costs.sizes import Sizes, Templates, sizes_of
from operations.cost.prices import UnknownPriceError, get_price
from stacks.support.settings import ThumbnailsOn
from tests.templates import only


@pytest.fixture(scope="module")
def templates(synthesize: Callable[..., Path]) -> dict[ThumbnailsOn, Templates]:
    """The templates of each value."""
    return {value: Assembly(synthesize(thumbnails_on=value)).templates() for value in get_args(ThumbnailsOn)}


@pytest.fixture(scope="module")
def sizes(templates: dict[ThumbnailsOn, Templates]) -> Sizes:
    """The sizes of this app."""
    return sizes_of(templates)


def test_function_size_is_that_of_the_template(sizes: Sizes, templates: dict[ThumbnailsOn, Templates]) -> None:
    _, mapping = only(templates["lambda"]["Thumbnails"]["Resources"], "AWS::Lambda::EventSourceMapping")
    assert sizes.function.batch_size == mapping["BatchSize"]
    assert sizes.function.concurrency == mapping["ScalingConfig"]["MaximumConcurrency"]
    assert sizes.function.memory_gb * 1024 == 1769


def test_task_is_billed_for_its_vcpu_memory_and_address(sizes: Sizes) -> None:
    assert sizes.fargate.hourly == {"fargate-arm64-vcpu": 1, "fargate-arm64-gb": 2, "public-ipv4": 1}
    assert sizes.fargate.spot == {"fargate-spot-arm64-vcpu": 1, "fargate-spot-arm64-gb": 2, "public-ipv4": 1}


def test_instances_are_billed_with_their_disk_and_address(sizes: Sizes) -> None:
    for size in (sizes.ec2, sizes.batch):
        assert size.hourly == {size.description: 1, "public-ipv4": 1, "ebs-gp3": 30 / 730}
        assert size.spot["ec2-spot"] == get_price(size.description).usd
        assert size.vcpus == 1
        assert size.memory_mib < 2048


def test_workers_scale_as_the_policies_and_alarms_define(sizes: Sizes) -> None:
    for size, maximum in ((sizes.fargate, 4), (sizes.ec2, 2)):
        assert size.maximum == size.maximum_spot == maximum
        assert size.photos_per_worker == 50
        assert size.idle_seconds == 5 * 60


def test_batch_runs_more_spot_than_on_demand_instances(sizes: Sizes) -> None:
    assert 0 < sizes.batch.maximum < sizes.batch.maximum_spot


def test_workers_add_alarms_for_their_scaling(sizes: Sizes) -> None:
    assert sizes.alarms["lambda-image"] == sizes.alarms["lambda"]
    assert sizes.alarms["fargate"] == sizes.alarms["lambda"] + 2 * 3  # two alarms on an expression of three metrics
    assert sizes.alarms["ec2"] == sizes.alarms["fargate"] + 2  # of the capacity provider


def test_changed_templates_change_the_sizes(templates: dict[ThumbnailsOn, Templates]) -> None:
    sizes = sizes_of({value: _with_twice_the_memory(it) for value, it in templates.items()})
    assert sizes.function.memory_gb * 1024 == 2 * 1769
    assert sizes.fargate.hourly["fargate-arm64-gb"] == 4


def test_functions_of_different_sizes_are_rejected(templates: dict[ThumbnailsOn, Templates]) -> None:
    with pytest.raises(UnknownPriceError, match="another size"):
        sizes_of(templates | {"lambda-image": _with_twice_the_memory(templates["lambda-image"])})


def _with_twice_the_memory(templates: Templates) -> Templates:
    changed: dict[str, Any] = json.loads(json.dumps(templates))
    for template in changed.values():
        for resource in template["Resources"].values():
            properties = resource.get("Properties", {})
            if "MemorySize" in properties:
                properties["MemorySize"] *= 2
            if resource["Type"] == "AWS::ECS::TaskDefinition" and "Memory" in properties:
                properties["Memory"] = str(2 * int(properties["Memory"]))
    return changed
