"""What `atoll-chat` can be told to do, one module a command.

Each has `run(…) -> int`, the exit status. What goes wrong is raised as `CommandError`.
"""


class CommandError(Exception):
    """Ends a command with this message on stderr and `status` as the exit status."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status
