"""Errors of the sandbox that the user can understand and fix."""


class SandboxError(RuntimeError):
    """The sandbox cannot continue. The message states the reason and the remedy, so no traceback is printed."""
