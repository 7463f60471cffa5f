"""What a database holds, table by table, and what two of them differ in."""

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from atoll_chat.backup import BackupError
from atoll_chat.backup.format import Table
from atoll_chat.migrations.backup import reading

# Alembic's own table: which schema it is, not what anybody wrote.
_SCHEMA = "alembic_version"


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows of one table: those made, altered and removed since an older copy was taken."""

    table: str
    new: int
    changed: int
    deleted: int


def contents(database: Path) -> dict[str, Table]:
    """Rows and hash of every table. The hash does not depend on where the rows are in the file."""
    with closing(reading(database)) as connection:
        connection.execute("BEGIN")
        return {name: _table(connection, name) for name in _tables(connection)}


def check(database: Path) -> None:
    """Let SQLite read the whole database.

    Raises:
        BackupError: it is damaged, or rows refer to rows that are gone.
    """
    try:
        with closing(reading(database)) as connection:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
            broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.DatabaseError as error:
        raise BackupError(f"The database is damaged: {error}.") from error
    if found != ["ok"]:
        raise BackupError(f"The database is damaged: {'; '.join(found[:3])}.")
    if broken:
        raise BackupError(f"The database has {len(broken)} rows that refer to rows that are gone.")


def differences(present: Path, older: Path) -> list[Difference]:
    """What would be lost with `older` in the place of `present`: tables that differ, by name.

    Rows are matched by primary key and compared in the columns that both databases have; a
    column that only the present one has counts as a change where it is not empty.
    """
    with closing(reading(present)) as connection:
        connection.execute("ATTACH DATABASE ? AS older", (f"file:{quote(str(older))}?mode=ro",))
        connection.execute("BEGIN")
        names = sorted({*_tables(connection), *_tables(connection, "older")} - {_SCHEMA})
        found = [_difference(connection, name) for name in names]
    return [each for each in found if each.new or each.changed or each.deleted]


def _table(connection: sqlite3.Connection, name: str) -> Table:
    columns = _columns(connection, "main", name)
    keys = [column for column, is_key in columns.items() if is_key] or list(columns)
    rows, digest = 0, hashlib.sha256(repr(list(columns)).encode())
    order = ", ".join(map(_quoted, keys))
    listed = ", ".join(map(_quoted, columns))
    for row in connection.execute(f"SELECT {listed} FROM {_quoted(name)} ORDER BY {order}"):  # noqa: S608
        rows += 1
        digest.update(repr(row).encode("utf-8", "surrogatepass"))
    return Table(rows=rows, sha256=digest.hexdigest())


def _difference(connection: sqlite3.Connection, name: str) -> Difference:
    table = _quoted(name)
    now, before = (_columns(connection, schema, name) for schema in ("main", "older"))
    if not now or not before:
        # The table itself came, or went, with a migration.
        place = "main" if now else "older"
        [rows] = connection.execute(f"SELECT count(*) FROM {place}.{table}").fetchone()  # noqa: S608
        return Difference(name, rows if now else 0, 0, 0 if now else rows)
    common = [column for column in now if column in before]
    keys = [column for column in common if now[column]] or common
    same_key = " AND ".join(f"a.{_quoted(c)} IS b.{_quoted(c)}" for c in keys)
    same = " AND ".join(
        [f"a.{_quoted(c)} IS b.{_quoted(c)}" for c in common]
        + [f"a.{_quoted(c)} IS NULL" for c in now if c not in before]
    )

    def without(left: str, right: str, condition: str) -> int:
        [rows] = connection.execute(
            f"SELECT count(*) FROM {left}.{table} a WHERE NOT EXISTS "  # noqa: S608
            f"(SELECT 1 FROM {right}.{table} b WHERE {condition})"
        ).fetchone()
        return int(rows)

    new = without("main", "older", same_key)
    changed = without("main", "older", f"{same_key} AND {same}") - new
    return Difference(name, new, changed, without("older", "main", same_key))


def _tables(connection: sqlite3.Connection, schema: str = "main") -> list[str]:
    statement = (
        f"SELECT name FROM {schema}.sqlite_schema WHERE type = 'table' "  # noqa: S608
        "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
    )
    return [str(row[0]) for row in connection.execute(statement)]


def _columns(connection: sqlite3.Connection, schema: str, table: str) -> dict[str, bool]:
    """Each column, and whether it belongs to the primary key. Empty when there is no such table."""
    rows = connection.execute(f"PRAGMA {schema}.table_info({_quoted(table)})")
    return {str(row[1]): bool(row[5]) for row in rows}


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
