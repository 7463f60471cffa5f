"""`atoll-chat migrate`: the step before every start."""

from atoll_chat.commands import CommandError
from atoll_chat.commands.opening import writer
from atoll_chat.database import DatabaseBusy
from atoll_chat.migrations.place import database_file
from atoll_chat.migrations.runner import Schema, inspect, migrate
from atoll_chat.settings import Settings


def run(settings: Settings) -> int:
    """Bring the database to the schema of this release and say what was done.

    Beside a running server there must be nothing to do: `docker compose up` starts this step again
    whether or not the server has to be created anew.
    """
    try:
        with writer(settings) as database:
            done = migrate(database)
            if done.backup is not None:
                print(f"copied the database to {done.backup}")
            if done.before == done.after:
                print(f"{database} is at schema {done.after}; nothing to do")
            else:
                print(f"{database} is now at schema {done.after} (before: {done.before or 'none'})")
    except CommandError as error:
        if not isinstance(error.__cause__, DatabaseBusy):
            raise
        database = database_file(settings)
        state, revision = inspect(database)
        if state not in (Schema.CURRENT, Schema.NEWER):
            raise
        print(f"{database} is in use and at schema {revision}; nothing to do")
    return 0
