"""What can go wrong with the sandbox, told to the person who runs it."""


class SandboxError(RuntimeError):
    """The sandbox cannot go on. The message says what is wrong and what to do, without a traceback."""
