"""Errors of the domain."""


class DamagedPhoto(Exception):
    """The decoded photo contradicts itself. Like an error of a decoder, it leads to a rejection."""


class PhotoRejected(Exception):
    """The file is not a valid or supported image. A retry with the same bytes gives the same result.

    Attributes:
        code: Stable error code in snake_case.
        reason: One sentence to display.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}"
