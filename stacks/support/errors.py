"""What whoever runs the app can mend."""


class AppError(RuntimeError):
    """Stops synth; the message is for the person who runs it."""
