"""The command `atoll-chat`."""

import argparse
import sys
from collections.abc import Sequence

from atoll_chat import __version__
from atoll_chat.commands import CommandError
from atoll_chat.settings import Settings
from atoll_kit.settings import load


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0 done, 1 failed, 2 wrong arguments or settings."""
    options = _parser().parse_args(arguments)
    try:
        raise SystemExit(_run(options))
    except CommandError as error:
        print(f"atoll-chat: {error}", file=sys.stderr)
        raise SystemExit(error.status) from None


def _run(options: argparse.Namespace) -> int:
    # Each command imports what it needs: `migrate` must not wait for the whole service to load.
    match options.command:
        case "openapi":
            from atoll_chat.commands import openapi

            return openapi.run()
        case "migrate":
            from atoll_chat.commands import migrate

            return migrate.run(load(Settings))
        case "set_admin":
            from atoll_chat.commands import set_admin

            return set_admin.run(load(Settings), options.username, options.password_stdin)
        case "selftest":
            from atoll_chat.commands import selftest

            return selftest.run(load(Settings))
        case _:
            from atoll_chat.commands import serve

            return serve.run(load(Settings))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="atoll-chat",
        description="The chat backend of Atoll. Settings are environment variables.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("serve", help="serve until stopped")
    commands.add_parser("migrate", help="bring the database to the schema of this release")
    set_admin = commands.add_parser(
        "set_admin", help="make an administrator, or give one a new password"
    )
    set_admin.add_argument("--username", help="name of the account; by default ADMIN_USERNAME")
    set_admin.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the password from standard input instead of generating one",
    )
    commands.add_parser("selftest", help="ask the running server's model a question")
    commands.add_parser("openapi", help="print the OpenAPI document")
    return parser


if __name__ == "__main__":
    main()
