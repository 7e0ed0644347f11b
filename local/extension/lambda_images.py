"""Lambda functions from container images: the program of the image runs as a process with a local Runtime API.

Emulated: the repository policy that lets Lambda pull the image, when the function is created and updated; entry point,
command, and working directory; the Runtime API, which the runtime interface client in the image calls; time-outs. The
emulator starts and ends the processes as those of functions with a custom runtime. Stricter than AWS: Lambda does not
add the missing repository policy. Not emulated: isolation, as in `container_processes.py`, and memory limits.

See https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
"""

import functools
import importlib.util
import io
import shlex
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS, _physical_name

from local.extension import container_images, iam_roles
from local.extension.cloudformation import Properties

_RUNTIME_CLIENT = "awslambdaric"


def extend() -> None:
    """Pull images when functions are created and updated, and run them."""
    execute = lambda_svc._execute_function_docker

    def execute_image(function: dict[str, Any], event: Any, request_id: str) -> Any:
        config = function.get("config") or function
        if config.get("PackageType") != "Image":
            return execute(function, event, request_id)
        return lambda_svc._execute_function_provided_warm(_with_bootstrap(function, config), event, request_id)

    lambda_svc._execute_function_docker = execute_image
    handler = _RESOURCE_HANDLERS["AWS::Lambda::Function"]
    handler.update(create=_create_after_pull(handler["create"]), update=_update_after_pull(handler["update"]))


def _create_after_pull(create: Callable[..., Any]) -> Callable[..., Any]:
    def pull_and_create(logical_id: str, props: Properties, stack: str) -> Any:
        _pull(props.get("FunctionName") or _physical_name(stack, logical_id, max_len=64), props)
        return create(logical_id, props, stack)

    return pull_and_create


def _update_after_pull(update: Callable[..., Any]) -> Callable[..., Any]:
    def pull_and_update(name: str, old: Properties, new: Properties, *rest: Any) -> Any:
        _pull(name, new)
        return update(name, old, new, *rest)

    return pull_and_update


def _pull(function: str, props: Properties) -> None:
    """Raise LookupError, PermissionError, or ValueError if Lambda cannot pull or start the image of a function."""
    uri = props.get("Code", {}).get("ImageUri")
    if not uri:
        return
    function_arn = f"arn:aws:lambda:{get_region()}:{get_account_id()}:function:{function}"
    image = container_images.pull_for_lambda(uri, function_arn)
    command = _command(image, props.get("ImageConfig", {}))
    if _RUNTIME_CLIENT in command and importlib.util.find_spec(_RUNTIME_CLIENT) is None:
        raise ValueError(
            f"Functions from container images need the Python package {_RUNTIME_CLIENT}, which exists for Linux only. "
            "Choose another value of the setting thumbnails_on on this machine"
        )


def _command(image: container_images.Image, image_config: dict[str, Any]) -> list[str]:
    return image.start_command(image_config.get("EntryPoint"), image_config.get("Command"))


def _with_bootstrap(function: dict[str, Any], config: dict[str, Any]) -> dict[str, Any]:
    """Return a function with a custom runtime whose program `bootstrap` starts the program of the image."""
    image = container_images.find(config["ImageUri"])
    image_config = config.get("ImageConfigResponse", {}).get("ImageConfig", {})
    logging = config.get("LoggingConfig", {})
    variables = {
        **image.dockerfile.environment,
        **config.get("Environment", {}).get("Variables", {}),
        "AWS_ENDPOINT_URL": iam_roles.endpoint(),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_LAMBDA_LOG_FORMAT": logging.get("LogFormat", "Text"),
        "AWS_LAMBDA_LOG_GROUP_NAME": logging.get("LogGroup", f"/aws/lambda/{config['FunctionName']}"),
    }
    folder = image.folder / image_config.get("WorkingDirectory", "").lstrip("/")
    return {
        **function,
        "config": {**config, "Runtime": "provided.al2023", "Environment": {"Variables": variables}},
        "code_zip": _bootstrap(folder, tuple(_command(image, image_config))),
    }


@functools.cache
def _bootstrap(folder: Path, command: tuple[str, ...]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("bootstrap", f"#!/bin/sh\ncd {shlex.quote(str(folder))} && exec {shlex.join(command)}\n")
    return archive.getvalue()
