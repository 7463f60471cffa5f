"""`atoll-chat health`: the health check of the container."""

from atoll_chat.commands import CommandError
from atoll_kit.probe import probe


def run(port: int) -> int:
    """Ask the server on the loopback interface; nothing is printed when it is well."""
    trouble = probe(port, "/api/health")
    if trouble is not None:
        raise CommandError(trouble)
    return 0
