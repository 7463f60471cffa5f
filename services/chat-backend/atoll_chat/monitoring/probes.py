"""Probes: questions that only a working part can answer."""

import fcntl
import os
from pathlib import Path

from sqlalchemy import text

from atoll_chat.backend import Backend
from atoll_chat.monitoring.schemas import ServiceStatus
from atoll_chat.upstream_errors import Source
from atoll_kit.errors import Unavailable

LOCK = ".writer.lock"


async def database_works(held: Backend) -> None:
    """Read a table, and see that this process holds the writer's lock.

    Raises:
        Unavailable: `database_unavailable`, saying which of the two failed.
    """
    try:
        async with held.database.read() as session:
            await session.execute(text("SELECT 1 FROM users LIMIT 1"))
    except Exception as error:
        raise Unavailable(
            "The database cannot be read. An operator should check DATA_DIR and the log.",
            code="database_unavailable",
        ) from error
    if held.settings.database_url is None and not _is_writer(held.settings.database_path.parent):
        raise Unavailable(
            "This process does not hold the lock of the database. An operator should restart it.",
            code="database_unavailable",
        )


async def probe_all(held: Backend) -> list[ServiceStatus]:
    """The database, inference, and the upstream if one is configured."""
    found = [await _database(held), await _service(held, "inference", "local")]
    if held.upstream.has_upstream:
        found.append(await _service(held, "upstream", "upstream"))
    return found


async def _database(held: Backend) -> ServiceStatus:
    try:
        await database_works(held)
    except Unavailable as error:
        return ServiceStatus(name="database", status="down", detail=error.message)
    return ServiceStatus(name="database", status="ok", detail="reads, and is ours to write")


async def _service(held: Backend, name: str, source: Source) -> ServiceStatus:
    probe = await held.upstream.probe(source)
    return ServiceStatus(name=name, status="ok" if probe.well else "down", detail=probe.detail)


def _is_writer(folder: Path) -> bool:
    try:
        file = os.open(folder / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Shared and not waiting: it is refused for as long as somebody holds the lock.
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.read(file, 32).strip() == str(os.getpid()).encode()
    finally:
        os.close(file)
    return False
