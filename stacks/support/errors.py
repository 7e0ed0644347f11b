"""Errors that the user can fix."""


class AppError(RuntimeError):
    """Stops synthesis. The message tells the user what to fix; no traceback is needed."""
