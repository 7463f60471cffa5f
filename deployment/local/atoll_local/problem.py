"""What keeps the stack from starting, in words for the person who started it."""


class Problem(Exception):
    """A refusal with the remedy; `status` is the exit status of the command."""

    def __init__(self, message: str, *, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


class BadSetting(Problem):
    """A variable is missing or wrong; the message names it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, status=2)
