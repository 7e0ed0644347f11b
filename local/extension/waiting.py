"""Handlers of CloudFormation that wait, in a thread of their own: on the event loop they would wait for themselves."""

from ministack.services.cloudformation import stacks

_types: set[str] = set()


def extend() -> None:
    """Let the emulator's stacks know of further types."""
    known = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda resource_type: resource_type in _types or known(resource_type)


def may_wait(resource_type: str) -> None:
    """Run the handler of this type in a thread."""
    _types.add(resource_type)
