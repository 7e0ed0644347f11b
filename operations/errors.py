"""What can go wrong with an operation, told to the person who runs it."""


class OperationError(RuntimeError):
    """The operation cannot be done. The message says why and what to do, without a traceback."""
