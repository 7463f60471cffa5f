"""Migrations: they go through whole, or leave everything as it was."""

import ast
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from atoll_chat.migrations import runner
from atoll_chat.migrations.backup import KEPT
from atoll_chat.migrations.place import PlaceError, database_file, refuse_network
from atoll_chat.migrations.runner import (
    FOLDER,
    MigrationError,
    Schema,
    differences,
    inspect,
    migrate,
    require_current,
)
from atoll_chat.settings import Settings

HEAD = "v1_0002"
MakeScripts = Callable[[str], Path]


@pytest.fixture
def database(tmp_path: Path, migrated: Path) -> Path:
    """A database at the newest schema, with one user."""
    folder = tmp_path / "a folder with spaces, 100% ok?"
    folder.mkdir()
    return Path(shutil.copy(migrated, folder / "conversation.db"))


@pytest.fixture
def scripts(tmp_path: Path) -> MakeScripts:
    """The migrations of this release and one more, whose `upgrade` is given."""

    def make(upgrade: str, revision: str = "v1_9999") -> Path:
        folder = tmp_path / "scripts"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(FOLDER, folder)
        (folder / "versions" / f"{revision}.py").write_text(
            "import os\nimport sqlalchemy as sa\nfrom alembic import op\n"
            f"revision = {revision!r}\ndown_revision = {HEAD!r}\n"
            f"def upgrade():\n    {upgrade}\n"
        )
        return folder

    return make


def query(database: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute(statement).fetchall()
        connection.commit()
    return rows


def dump(database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection:
        return "\n".join(connection.iterdump())


def test_tables_and_migrations_agree(tmp_path: Path) -> None:
    database = tmp_path / "new" / "x.db"
    assert migrate(database).after == inspect(database)[1]
    assert differences(database) == []


def test_a_second_time_there_is_nothing_to_do(database: Path) -> None:
    before = dump(database)
    done = migrate(database)
    assert (done.before, done.backup) == (done.after, None)
    assert dump(database) == before
    require_current(database)


def test_a_database_that_changes_is_copied_first(database: Path, scripts: MakeScripts) -> None:
    before = dump(database)
    folder = scripts("op.add_column('users', sa.Column('nickname', sa.String(64)))")
    assert inspect(database, folder) == (Schema.BEHIND, HEAD)
    with pytest.raises(MigrationError, match="atoll-chat migrate"):
        require_current(database, folder)
    done = migrate(database, folder)
    assert (done.before, done.after) == (HEAD, "v1_9999")
    assert done.backup is not None
    assert done.backup.parent == database.parent / "backups"
    assert dump(done.backup) == before
    assert query(database, "SELECT username, nickname FROM users") == [("admin", None)]


def test_the_newest_copies_are_kept(database: Path, scripts: MakeScripts) -> None:
    folder = scripts("raise RuntimeError('no')")
    for _ in range(KEPT + 3):
        with pytest.raises(RuntimeError):
            migrate(database, folder)
    assert len(list((database.parent / "backups").iterdir())) == KEPT


BROKEN = {
    "an error in SQL": "op.execute('UPDATE users SET nothing = 1')",
    "an error after changes": (
        "op.create_table('extra', sa.Column('id', sa.Integer())); "
        "op.execute(\"DELETE FROM users\"); op.execute('nonsense')"
    ),
    "rows that refer to nothing": 'op.execute("DELETE FROM users")',
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_migration_that_fails_leaves_the_database_as_it_was(
    how: str, database: Path, scripts: MakeScripts
) -> None:
    query(
        database,
        "INSERT INTO files SELECT 'f', id, 'n', 'a/b', 1, 'x', '2026-01-01' FROM users",
    )
    before = dump(database)
    with pytest.raises(MigrationError, match="failed and was taken back") as failed:
        migrate(database, scripts(BROKEN[how]))
    assert dump(database) == before
    [copy] = (database.parent / "backups").iterdir()
    assert str(copy) in str(failed.value)
    # This release's service goes on with it, and a mended migration goes through.
    require_current(database)
    assert migrate(database, scripts("pass")).after == "v1_9999"


def test_a_migration_that_is_killed_leaves_the_database_as_it_was(
    database: Path, scripts: MakeScripts
) -> None:
    before = dump(database)
    folder = scripts("op.execute('DELETE FROM users'); os._exit(9)")
    code = (
        "import sys; from pathlib import Path; from atoll_chat.migrations.runner import migrate; "
        "migrate(Path(sys.argv[1]), Path(sys.argv[2]))"
    )
    done = subprocess.run([sys.executable, "-c", code, database, folder], check=False)
    assert done.returncode == 9
    assert dump(database) == before
    require_current(database)


def test_copying_a_table_keeps_the_rows_that_refer_to_it(
    database: Path, scripts: MakeScripts
) -> None:
    """SQLite changes a column by making a new table, and deleting the old one must not cascade."""
    query(
        database,
        "INSERT INTO files SELECT 'f', id, 'n', 'a/b', 1, 'x', '2026-01-01' FROM users",
    )
    folder = scripts(
        "with op.batch_alter_table('users') as batch: "
        "batch.alter_column('username', type_=sa.String(99))"
    )
    migrate(database, folder)
    assert query(database, "SELECT id FROM files") == [("f",)]


def test_a_database_of_a_newer_release_serves_after_a_rollback(
    database: Path, scripts: MakeScripts
) -> None:
    migrate(database, scripts("op.add_column('users', sa.Column('nickname', sa.String(64)))"))
    assert inspect(database) == (Schema.NEWER, "v1_9999")
    require_current(database)
    assert migrate(database).backup is None
    assert query(database, "SELECT version_num FROM alembic_version") == [("v1_9999",)]


def test_a_database_of_another_major_release_is_refused(
    database: Path, scripts: MakeScripts
) -> None:
    query(database, "UPDATE alembic_version SET version_num = 'v2_0001'")
    before = dump(database)
    for step in (require_current, migrate):
        with pytest.raises(MigrationError, match="another major release"):
            step(database)
    assert dump(database) == before


def test_a_file_that_is_no_database_of_ours_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "x.db"
    text.write_text("not a database at all, but long enough to be looked at" * 10)
    other = tmp_path / "y.db"
    query(other, "CREATE TABLE users (id)")
    for file in (text, other):
        before = file.read_bytes()
        with pytest.raises(MigrationError, match="no database of the chat backend"):
            migrate(file)
        assert file.read_bytes() == before


def test_no_copy_no_migration(
    database: Path, scripts: MakeScripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runner, "back_up", full)
    before = dump(database)
    with pytest.raises(MigrationError, match="nothing was migrated"):
        migrate(database, scripts("op.execute('DELETE FROM users')"))
    assert dump(database) == before


EXPANDING = {"create_table", "create_index", "add_column"}


def not_expanding(source: str) -> list[str]:
    """What a migration does that the release before it would notice."""
    tree = ast.parse(source)
    if any(isinstance(n, ast.Assign) and ast.unparse(n) == "breaking = True" for n in tree.body):
        return []
    found = []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        text = ast.unparse(call)
        if not text.startswith("op."):
            continue
        if text.removeprefix("op.").partition("(")[0] not in EXPANDING:
            found.append(text)
        required = "nullable=False" in text and "server_default" not in text
        if text.startswith("op.add_column") and required:
            found.append(text)
        if "unique=True" in text:
            found.append(text)
    return found


def test_migrations_only_expand_or_say_that_they_break() -> None:
    for path in sorted((FOLDER / "versions").glob("v*.py")):
        if path.name != "v1_0001_first_schema.py":
            assert not_expanding(path.read_text()) == [], path.name


@pytest.mark.parametrize(
    "upgrade",
    [
        "op.drop_table('jobs')",
        "op.execute('DELETE FROM jobs')",
        "op.add_column('users', sa.Column('rank', sa.Integer(), nullable=False))",
        "op.create_index('ix', 'users', ['username'], unique=True)",
    ],
)
def test_what_the_release_before_would_notice_is_found(upgrade: str) -> None:
    assert not_expanding(upgrade)
    assert not not_expanding(f"breaking = True\n{upgrade}")


MOUNTS = """\
overlay / overlay rw 0 0
server:/export /mnt/shared nfs4 rw 0 0
/dev/sda1 /mnt/shared/local ext4 rw 0 0
//server/share /mnt/with\\040space cifs rw 0 0
tmpfs /mnt/covered nfs rw 0 0
tmpfs /mnt/covered tmpfs rw 0 0
"""


@pytest.mark.parametrize("folder", ["/mnt/shared", "/mnt/shared/a/b", "/mnt/with space/db"])
def test_a_network_file_system_is_refused(folder: str) -> None:
    with pytest.raises(PlaceError, match="network file system"):
        refuse_network(Path(folder), MOUNTS)


@pytest.mark.parametrize(
    "folder", ["/data", "/mnt/shared/local/db", "/mnt/sharedness", "/mnt/covered/x"]
)
def test_a_local_file_system_is_not(folder: str) -> None:
    refuse_network(Path(folder), MOUNTS)


@pytest.mark.parametrize(
    "url", ["postgresql+asyncpg://x/y", "sqlite:////tmp/x.db", "sqlite+aiosqlite://"]
)
def test_other_databases_are_refused(url: str, tmp_path: Path) -> None:
    settings = Settings(
        secret_key=os.urandom(32).hex(), internal_token=os.urandom(32).hex(), database_url=url
    )
    with pytest.raises(PlaceError, match="DATABASE_URL"):
        database_file(settings)
