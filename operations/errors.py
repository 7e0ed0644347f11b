"""Errors that the user can fix."""


class OperationError(RuntimeError):
    """An operation failed. The message gives the reason and the remedy; no traceback is shown."""
