"""Brings a database to the schema of this release, or says why not.

Revisions are named `v<major>_<number>`. Within a major release they only expand the schema, so
that a database which a newer release of the same major has migrated still serves this one: a
release can be rolled back. A database of another major is refused.

A revision that has to do more marks itself with `breaking = True`. The database then carries that
revision's number as its `user_version`, and releases that end before it refuse the database.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from atoll_chat.migrations.backup import back_up, reading

FOLDER = Path(__file__).parent


class MigrationError(RuntimeError):
    """The database cannot be used by this release; the message says what to do."""


class Schema(Enum):
    """What a database is, as this release sees it."""

    ABSENT = "absent"
    BEHIND = "behind"
    CURRENT = "current"
    NEWER = "newer"


@dataclass(frozen=True, slots=True)
class Migrated:
    """What `migrate` did: revisions before and after, and the copy made before."""

    before: str | None
    after: str | None
    backup: Path | None


def inspect(database: Path, scripts: Path = FOLDER) -> tuple[Schema, str | None]:
    """The state of the file `database` and its revision. Changes nothing.

    Raises:
        MigrationError: it is no database of ours, or of another major release.
    """
    if not database.exists() or database.stat().st_size == 0:
        return Schema.ABSENT, None
    revision = _revision(database)
    directory = ScriptDirectory.from_config(_config(scripts))
    head = directory.get_current_head() or ""
    if revision == head:
        return Schema.CURRENT, revision
    if revision in {script.revision for script in directory.walk_revisions()}:
        return Schema.BEHIND, revision
    if revision.partition("_")[0] == head.partition("_")[0]:
        if _floor(database) > number(head):
            raise MigrationError(
                f"{database} was changed by a newer release in a way that this release cannot use "
                f"(schema {revision}; this release has {head}). Install that release again, or "
                "restore the backup made before the upgrade."
            )
        return Schema.NEWER, revision
    raise MigrationError(
        f"{database} was written by another major release (schema {revision}; this release has "
        f"{head}). Install that release, or restore a backup made with this one."
    )


def require_current(database: Path, scripts: Path = FOLDER) -> None:
    """Refuse to serve a schema that this release cannot use.

    Raises:
        MigrationError: with the command to run.
    """
    state, revision = inspect(database, scripts)
    if state in (Schema.ABSENT, Schema.BEHIND):
        found = "does not exist yet" if state is Schema.ABSENT else f"is at schema {revision}"
        raise MigrationError(f"{database} {found}. Run first: atoll-chat migrate")


def migrate(database: Path, scripts: Path = FOLDER) -> Migrated:
    """Bring `database` to the newest schema. The caller holds the writer lock.

    A database that will change is copied first. Every migration runs in one transaction: when
    one fails, the database is what it was.

    Raises:
        MigrationError: the message names the step that failed and the copy.
    """
    state, before = inspect(database, scripts)
    if state in (Schema.CURRENT, Schema.NEWER):
        return Migrated(before, before, None)
    backup = None
    try:
        if state is Schema.BEHIND:
            backup = back_up(database, before or "unknown")
        database.parent.mkdir(parents=True, exist_ok=True)
    except (OSError, sqlite3.Error) as error:
        raise MigrationError(
            f"No copy of {database} could be made ({error}), so nothing was migrated."
        ) from error
    try:
        with _connected(database) as connection:
            command.upgrade(_config(scripts, connection), "head")
            _check_references(connection)
            floor = max((number(name) for name in breaking(None, scripts)), default=0)
            connection.exec_driver_sql(f"PRAGMA user_version = {floor}")
    except (SQLAlchemyError, CommandError, MigrationError) as error:
        kept = f" A copy is in {backup}." if backup else ""
        raise MigrationError(
            f"The migration of {database} failed and was taken back: {error}.{kept}"
        ) from error
    return Migrated(before, _revision(database), backup)


def number(revision: str) -> int:
    """Where a revision stands among all: `v1_0002` is 1_0002."""
    major, _, step = revision.removeprefix("v").partition("_")
    return int(major) * 10_000 + int(step)


def head(scripts: Path = FOLDER) -> str:
    """The revision of this release."""
    return ScriptDirectory.from_config(_config(scripts)).get_current_head() or ""


def breaking(since: str | None, scripts: Path = FOLDER) -> list[str]:
    """Revisions after `since` that the releases before them cannot use; after None, of all.

    Raises:
        MigrationError: this release does not know the revision `since`.
    """
    known = list(ScriptDirectory.from_config(_config(scripts)).walk_revisions())
    if since is not None and since not in {script.revision for script in known}:
        raise MigrationError(
            f"This release does not know the schema {since}. Ask the newest release that was "
            "installed here."
        )
    after = 0 if since is None else number(since)
    major = since.partition("_")[0] if since else None
    return [
        script.revision
        for script in reversed(known)
        if number(script.revision) > after
        and (
            getattr(script.module, "breaking", False)
            or (major is not None and script.revision.partition("_")[0] != major)
        )
    ]


def differences(database: Path) -> list[object]:
    """What autogenerate would still change: empty when tables and revisions agree."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    import atoll_chat.tables  # noqa: F401 - every table has to be known
    from atoll_chat.database import Base

    with _connected(database) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


def _floor(database: Path) -> int:
    with closing(reading(database)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _revision(database: Path) -> str:
    try:
        with closing(reading(database)) as connection:
            rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except sqlite3.Error as error:
        raise MigrationError(
            f"{database} is no database of the chat backend ({error}). Move it away, or set "
            "DATA_DIR to another folder."
        ) from error
    if len(rows) != 1:
        raise MigrationError(f"{database} does not say which schema it has. Restore a backup.")
    return str(rows[0][0])


def _config(scripts: Path, connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@contextmanager
def _connected(database: Path) -> Iterator[Connection]:
    """One connection and one transaction, which holds until the block has succeeded."""
    engine = create_engine(URL.create("sqlite", database=str(database)), poolclass=NullPool)

    def on_connect(raw: sqlite3.Connection, _: object) -> None:
        # The driver would commit before each change of a table.
        raw.isolation_level = None
        # Copying a table drops the old one, which must not delete the rows that refer to it.
        raw.execute("PRAGMA foreign_keys = OFF")
        raw.execute("PRAGMA journal_mode = WAL")

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _check_references(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise MigrationError(f"{len(broken)} rows refer to rows that are gone: {broken[:3]}")
