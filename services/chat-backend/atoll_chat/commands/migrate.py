"""`atoll-chat migrate`: the step before every start."""

from atoll_chat.commands.opening import writer
from atoll_chat.migrations.runner import migrate
from atoll_chat.settings import Settings


def run(settings: Settings) -> int:
    """Bring the database to the schema of this release and say what was done."""
    with writer(settings) as database:
        done = migrate(database)
        if done.backup is not None:
            print(f"copied the database to {done.backup}")
        if done.before == done.after:
            print(f"{database} is at schema {done.after}; nothing to do")
        else:
            print(f"{database} is now at schema {done.after} (before: {done.before or 'none'})")
    return 0
