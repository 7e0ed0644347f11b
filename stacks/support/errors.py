"""Errors that the user can fix."""


class AppError(RuntimeError):
    """An error that stops synthesis. The user sees only the message, which names what to fix, and no traceback."""
