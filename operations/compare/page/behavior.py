"""What starts, scales, is billed, and needs patching, for each option."""

from operations.compare.costs.model import Model
from operations.compare.page.section import Section, rounded


def behavior(model: Model) -> Section:
    sizes, assumed = model.sizes, model.assumptions
    function, fargate, ec2, batch = sizes.function, sizes.fargate, sizes.ec2, sizes.batch
    memory = f"{function.memory_gb * 1024:,.0f} MB, {function.architecture}"
    scales = f"With the queue, to {function.concurrency} requests of up to {function.batch_size} photos at a time"
    steps = (
        f"one for each {fargate.photos_per_worker:g} waiting photos; 0 after {fargate.idle_seconds / 60:g} idle minutes"
    )
    bundles = ", ".join(f"{bundle} {rounded(photos)}" for bundle, photos in model.bundles().items())
    rows = [
        ["Option", "Starts", "Scales", "Billed", "You patch"],
        [
            "`lambda`",
            f"An environment ({memory}) in about {assumed.init_seconds_lambda:g} s",
            scales,
            "Requests, and GB-seconds by the millisecond",
            "Libraries",
        ],
        [
            "`lambda-image`",
            f"The same from an image, in about {assumed.init_seconds_lambda_image:g} s",
            scales,
            "The same, and image storage",
            "Image: system, Python, libraries",
        ],
        [
            "`fargate`",
            f"A task ({fargate.description}) in about {assumed.start_seconds_fargate:g} s, a minute after the photo",
            f"0 to {fargate.maximum} tasks, {steps}",
            "vCPU, memory, and public IPv4 by the second, at least a minute, from the image pull to the stop",
            "Image: system, Python, libraries",
        ],
        [
            "`ec2`",
            f"An instance ({ec2.description}), then its task, in about {assumed.start_seconds_ec2:g} s",
            f"0 to {ec2.maximum} instances, with the tasks; removed {assumed.stop_seconds_ec2 / 60:g} minutes later",
            "Instance, disk, and public IPv4 by the second, at least a minute, busy or not",
            "Image, and the AMI of the instances",
        ],
        [
            "Batch (`make remake`)",
            f"Instances ({batch.description} or similar) when a job is submitted",
            f"0 to {batch.maximum_spot} Spot Instances, one for each {batch.photos_per_worker:g} photos",
            "Instances as above; Batch is free",
            "Image; Batch chooses the AMI",
        ],
        [
            "Lightsail",
            "Nothing: it always runs",
            f"By hand. Photos per month and bundle: {bundles}",
            "The bundle by the month, stopped or not",
            "Everything",
        ],
    ]
    return Section(
        "What starts, scales, is billed, and needs patching",
        [
            "Sizes and limits are those in the templates. Lightsail is calculated only: an instance has no role, so it "
            f"would need a key of an IAM user. Bundles with less than {ec2.memory_mib:,} MiB cannot process every "
            "accepted photo."
        ],
        rows,
    )
