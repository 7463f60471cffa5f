"""`atoll-chat schema` and `rollback-check`: which schema there is, and who can use it."""

from atoll_chat.backup.contents import Difference, differences
from atoll_chat.backup.reading import unpack
from atoll_chat.backup.restoring import scratch
from atoll_chat.commands.archives import failures, source
from atoll_chat.migrations.place import database_file
from atoll_chat.migrations.runner import MigrationError, breaking, head, inspect
from atoll_chat.settings import DataSettings

DISCARDS = 3


def run(settings: DataSettings) -> int:
    """Print the revision of the database, of this release, and how they go together."""
    with failures(settings):
        try:
            found, revision = inspect(database_file(settings))
            state = found.value
        except MigrationError:
            state, revision = "unusable", None
    print(f"database {revision or 'none'}")
    print(f"release {head()}")
    print(f"state {state}")
    return 0


def run_rollback_check(settings: DataSettings, revision: str, backup: str | None) -> int:
    """Say whether the release whose schema is `revision` can use the present database.

    Returns:
        0 when it can. 3 when only a restore of `backup` would help; what that discards is
        printed, table by table.
    """
    with failures(settings):
        database = database_file(settings)
        _, present = inspect(database)
        reasons = breaking(revision) if present else []
        if not reasons:
            print(f"a release with schema {revision} can use the present database; nothing is lost")
            return 0
        print(
            f"a release with schema {revision} cannot use the present database, because of: "
            f"{', '.join(reasons)}"
        )
        if backup is None:
            print("name the backup made before the upgrade to see what restoring it would discard")
            return DISCARDS
        with source(backup) as stream, scratch(settings.data_dir) as folder:
            lost = differences(database, unpack(stream, folder).database)
    print(_table(lost) if lost else "the backup holds the same rows; restoring it discards nothing")
    return DISCARDS


def _table(lost: list[Difference]) -> str:
    rows = [f"{'restoring it discards':26} {'new rows':>10} {'changes':>10} {'deletions':>10}"]
    rows += [f"  {d.table:24} {d.new:>10} {d.changed:>10} {d.deleted:>10}" for d in lost]
    return "\n".join(rows)
