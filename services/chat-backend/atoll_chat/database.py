"""The database: one writer, many readers.

SQLite has one writer. This process holds a lock beside the database file for as long as it runs,
writes through a single connection whose transactions begin as `BEGIN IMMEDIATE`, and reads through
connections that cannot write. Inside a write transaction nothing is awaited but the database.
"""

import fcntl
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL, DateTime, Dialect, MetaData, TypeDecorator, event
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import DeclarativeBase, ORMExecuteState, Session
from sqlalchemy.pool import AsyncAdaptedQueuePool

READERS = 4


class Base(DeclarativeBase):
    """Base of every table. Constraint names are fixed so that migrations can address them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Instant(TypeDecorator[datetime]):
    """A point in time: aware and in UTC in Python, whatever the database keeps."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class DatabaseBusy(RuntimeError):
    """Another process is the writer of this database; the message names its pid."""


class WriterLock:
    """Holds `.writer.lock` beside the database while this process may write.

    The lock is the kernel's: it goes with the process, however the process ends.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / ".writer.lock"
        self._file: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            DatabaseBusy: another process holds it.
            OSError: the folder cannot be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(file, 32).decode(errors="replace").strip() or "unknown"
            os.close(file)
            raise DatabaseBusy(
                f"The database in {self.path.parent} is in use by process {holder}. "
                "Stop that process first, or give this one another DATA_DIR."
            ) from None
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())
        self._file = file

    def release(self) -> None:
        """Give the lock back; nothing happens when it is not held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _prepare(connection: Any, *, read_only: bool) -> None:
    # Transactions are begun by `_begin`, not by the driver.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout = 5000")
    cursor.execute("PRAGMA foreign_keys = ON")
    if read_only:
        cursor.execute("PRAGMA query_only = ON")
    else:
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def _sqlite_engine(url: str, *, read_only: bool) -> AsyncEngine:
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=READERS if read_only else 1,
        max_overflow=0,
        pool_timeout=30,
    )
    begin = "BEGIN" if read_only else "BEGIN IMMEDIATE"

    def on_connect(connection: Any, _: Any) -> None:
        _prepare(connection, read_only=read_only)

    def on_begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine.sync_engine, "connect", on_connect)
    event.listen(engine.sync_engine, "begin", on_begin)
    return engine


class _WritingSession(Session):
    """A session that notes which tables it wrote to."""

    def written(self) -> set[str]:
        """Names of those tables so far."""
        names: set[str] = self.info.setdefault("written", set())
        return names


@event.listens_for(_WritingSession, "after_flush")
def _note_rows(session: _WritingSession, _: Any) -> None:
    for row in (*session.new, *session.dirty, *session.deleted):
        session.written().add(row.__tablename__)


@event.listens_for(_WritingSession, "do_orm_execute")
def _note_statement(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete:
        assert isinstance(state.session, _WritingSession)
        # The table itself, whether the statement named it or a class mapped to it.
        state.session.written().add(state.statement.table.name)  # type: ignore[attr-defined]


class Database:
    """Sessions for reading and for writing.

    Args:
        url: SQLAlchemy URL with an async driver, such as `sqlite+aiosqlite:////data/db/x.db`.
    """

    def __init__(self, url: str) -> None:
        self._writer = _sqlite_engine(url, read_only=False)
        self._reader = _sqlite_engine(url, read_only=True)
        self._write = async_sessionmaker(
            self._writer, expire_on_commit=False, sync_session_class=_WritingSession
        )
        self._read = async_sessionmaker(self._reader, expire_on_commit=False)
        self._changes: Counter[str] = Counter()

    def changes(self, *tables: str) -> int:
        """How many transactions of this process wrote to any of `tables`.

        There is no other writer, so what was read is still true while this number is the same.
        """
        return sum(self._changes[table] for table in tables)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session that sees one consistent state and cannot write."""
        async with self._read() as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A write transaction: committed at the end of the block, rolled back on an exception.

        Await nothing inside but this session: every other writer waits.
        """
        async with self._write() as session:
            try:
                async with session.begin():
                    yield session
            finally:
                assert isinstance(session.sync_session, _WritingSession)
                self._changes.update(session.sync_session.written())

    async def close(self) -> None:
        """Close every connection."""
        await self._reader.dispose()
        await self._writer.dispose()


def sqlite_url(path: Path) -> str:
    """The URL of an SQLite file."""
    # A folder may have a name with a question mark in it.
    url = URL.create("sqlite+aiosqlite", database=str(path.absolute()))
    return url.render_as_string()
