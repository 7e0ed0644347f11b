"""Errors of the domain."""


class PhotoRejected(Exception):
    """The file cannot become a photo, now or later: a retry with the same bytes gives the same result.

    Attributes:
        code: Stable snake_case identifier for programs.
        reason: One sentence for people.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}"
