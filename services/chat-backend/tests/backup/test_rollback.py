"""Which releases can use a database, and what going back would cost."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from backup_data import Data

from atoll_chat.backup.contents import Difference, contents, differences
from atoll_chat.migrations.runner import FOLDER, MigrationError, Schema, inspect

EXPANDS = "op.add_column('users', sa.Column('nickname', sa.String(64)))"
BREAKS = "op.drop_table('login_failures')"
OLD = "v1_0002"
NewerRelease = Callable[..., None]


def test_the_schema_is_told(data: Data, newer_release: NewerRelease) -> None:
    assert data.run("schema").text == f"database {OLD}\nrelease {OLD}\nstate current\n"
    newer_release(EXPANDS)
    assert data.run("schema").text == f"database {OLD}\nrelease v1_9999\nstate behind\n"
    data.database.unlink()
    assert data.run("schema").text == "database none\nrelease v1_9999\nstate absent\n"


def test_a_migration_that_expands_can_be_rolled_back(
    data: Data, newer_release: NewerRelease
) -> None:
    newer_release(EXPANDS)
    assert data.run("rollback-check", OLD).returncode == 0
    assert data.run("migrate", **{}).returncode == 2  # secrets are not set here
    migrate(data)
    done = data.run("rollback-check", OLD)
    assert (done.returncode, "nothing is lost" in done.text) == (0, True)
    assert inspect(data.database, FOLDER) == (Schema.NEWER, "v1_9999")


def test_a_breaking_migration_is_told_with_its_price(
    data: Data, newer_release: NewerRelease, tmp_path: Path
) -> None:
    backup = tmp_path / "b.tar"
    assert data.run("backup", backup).returncode == 0
    newer_release(BREAKS, breaking=True)
    migrate(data)
    data.add_file(b"one more")
    data.query("UPDATE users SET username = 'somebody'")
    done = data.run("rollback-check", OLD, "--backup", backup)
    assert done.returncode == 3
    assert "v1_9999" in done.text
    counted = {line.split()[0]: line.split()[1:] for line in done.text.splitlines()[2:]}
    assert counted == {"files": ["1", "0", "0"], "users": ["0", "1", "0"]}
    assert data.run("rollback-check", OLD).returncode == 3
    # Nor does the older release open it by mistake.
    with pytest.raises(MigrationError, match="cannot use"):
        inspect(data.database, FOLDER)
    # The newer one goes on with it, and its own backups can be restored.
    assert inspect(data.database)[0] is Schema.CURRENT
    after = tmp_path / "after.tar"
    assert data.run("backup", after).returncode == 0
    assert data.run("backup-verify", after).returncode == 0


def test_a_schema_that_nobody_knows_is_refused(data: Data) -> None:
    done = data.run("rollback-check", "v1_0815")
    assert done.returncode == 1
    assert "v1_0815" in done.stderr


def test_differences_are_counted_by_key(data: Data, make_data: Callable[[str], Data]) -> None:
    other = make_data("other")
    shutil.copy(data.database, other.database)
    assert differences(data.database, other.database) == []
    assert contents(data.database) == contents(other.database)
    [(first,), _] = data.query("SELECT id FROM files ORDER BY id")
    data.query("DELETE FROM files WHERE id = ?", first)
    data.query("ALTER TABLE users ADD COLUMN nickname VARCHAR(64)")
    assert differences(data.database, other.database) == [Difference("files", 0, 0, 1)]
    data.query("UPDATE users SET nickname = 'ada'")
    assert Difference("users", 0, 1, 0) in differences(data.database, other.database)
    assert contents(data.database)["files"] != contents(other.database)["files"]


def migrate(data: Data) -> None:
    from atoll_chat.migrations import runner

    runner.migrate(data.database)
