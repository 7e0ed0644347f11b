"""What the domain says when it will not do something."""


class PhotoRejected(Exception):
    """This photo will never be accepted: trying again with the same bytes cannot help.

    `code` is stable snake_case for programs; `reason` is one sentence for a person.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.code}: {self.reason}"
