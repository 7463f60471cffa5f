"""`atoll-chat set_admin`: make or reset an administrator, with the server running or not."""

import asyncio
import sys
from typing import Any

from atoll_chat.accounts.service import AccountsService
from atoll_chat.accounts.tokens import new_password
from atoll_chat.commands import CommandError
from atoll_chat.commands.opening import writer
from atoll_chat.control import ControlError, NotRunning, call
from atoll_chat.database import Database, sqlite_url
from atoll_chat.migrations.runner import require_current
from atoll_chat.settings import Settings
from atoll_kit.errors import ApiError
from atoll_kit.logs import configure_logging

TIMEOUT = 60.0


def run(settings: Settings, username: str | None, password_stdin: bool) -> int:
    """Set the administrator `username`; a generated password is printed, once."""
    given = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
    if given == "":
        raise CommandError("No password came on standard input.", status=2)
    password = given or new_password()
    payload = {"username": username or settings.admin_username, "password": password}
    try:
        done = call(settings.run_dir, "set_admin", payload, TIMEOUT)
    except NotRunning:
        done = _without_server(settings, payload)
    except ControlError as error:
        raise CommandError(str(error)) from error
    what = "is a new administrator" if done["created"] else "is an administrator; signed out"
    print(f"{done['username']} {what}.")
    if given is None:
        print(f"Password, shown this once: {password}")
    print("The password has to be changed at the first sign-in.")
    return 0


def _without_server(settings: Settings, payload: dict[str, Any]) -> dict[str, Any]:
    # What the operator sees is the answer, not the events on the way there.
    configure_logging("chat-backend", "WARNING")
    with writer(settings) as file:
        require_current(file)

        async def direct() -> dict[str, Any]:
            database = Database(sqlite_url(file))
            try:
                return await AccountsService(settings, database).set_admin_command(payload)
            finally:
                await database.close()

        try:
            return asyncio.run(direct())
        except ApiError as error:
            raise CommandError(error.message) from error
