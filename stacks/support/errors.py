"""Errors that the user can fix."""


class AppError(RuntimeError):
    """Stops synthesis. The user sees the message, which names what to fix, without a traceback."""
