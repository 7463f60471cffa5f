"""The command `atoll-chat`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from atoll_chat import __version__
from atoll_chat.commands import CommandError

# These need no secrets, so that they run beside the server and in a bare container.
DATA_COMMANDS = (
    "backup",
    "backup-verify",
    "restore",
    "schema",
    "rollback-check",
    "apply-config",
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0 done, 1 failed, 2 wrong arguments or settings."""
    options = _parser().parse_args(arguments)
    try:
        on_data = options.command in DATA_COMMANDS
        raise SystemExit(_run_on_data(options) if on_data else _run(options))
    except CommandError as error:
        print(f"atoll-chat: {error}", file=sys.stderr)
        raise SystemExit(error.status) from None


def _run(options: argparse.Namespace) -> int:
    # Each command imports what it needs: `migrate` must not wait for the whole service to load, and
    # `health` runs every few seconds.
    if options.command == "health":
        from atoll_chat.commands import health

        return health.run(options.port)
    from atoll_chat.settings import Settings
    from atoll_kit.settings import load

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


def _run_on_data(options: argparse.Namespace) -> int:
    if options.command == "apply-config":
        from atoll_chat.commands import apply_config

        return apply_config.run(
            options.file,
            options.root,
            options.host_root,
            options.name,
            check=options.check,
            diff=options.diff,
        )
    from atoll_chat.commands import backup, schema
    from atoll_chat.settings import DataSettings
    from atoll_kit.settings import load

    settings = load(DataSettings)
    match options.command:
        case "backup":
            return backup.run(settings, options.file, options.config, options.config_stdin)
        case "backup-verify":
            return backup.run_verify(settings, options.file, options.scratch)
        case "restore":
            return backup.run_restore(settings, options.file, options.config_to)
        case "schema":
            return schema.run(settings)
        case _:
            return schema.run_rollback_check(settings, options.revision, options.backup)


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
    health = commands.add_parser(
        "health", help="ask the service beside this one whether it is well"
    )
    health.add_argument("--port", type=int, default=8000, help="its port on the loopback interface")
    _add_data_commands(commands)
    commands.add_parser("openapi", help="print the OpenAPI document")
    return parser


def _add_data_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    archive = "the archive; - for standard input or output"
    backup = commands.add_parser("backup", help="write the data into one archive, while serving")
    backup.add_argument("file", metavar="FILE", help=archive)
    backup.add_argument(
        "--config",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="a file or folder of the installation to put in as well; may be repeated",
    )
    backup.add_argument(
        "--config-stdin", action="store_true", help="the same, from a tar archive on standard input"
    )
    verify = commands.add_parser("backup-verify", help="restore an archive into a scratch place")
    verify.add_argument("file", metavar="FILE", help=archive)
    verify.add_argument("--scratch", type=Path, help="folder to work in; by default DATA_DIR")
    restore = commands.add_parser("restore", help="put an archive in the place of the data")
    restore.add_argument("file", metavar="FILE", help=archive)
    restore.add_argument(
        "--config-to", type=Path, metavar="DIR", help="folder for the configuration in it"
    )
    commands.add_parser("schema", help="print the schema of the database and of this release")
    check = commands.add_parser(
        "rollback-check", help="say whether an older release can use the database; 3 when not"
    )
    check.add_argument("revision", metavar="REVISION", help="the schema of that release")
    check.add_argument("--backup", metavar="FILE", help="count what restoring it would discard")
    config = commands.add_parser("apply-config", help="write .env from a deployment configuration")
    what = config.add_mutually_exclusive_group(required=True)
    what.add_argument("file", nargs="?", help="the JSON document; - for standard input")
    what.add_argument("--schema", action="store_true", help="print the JSON schema instead")
    config.add_argument("--root", type=Path, default=Path(), help="folder of the installation")
    config.add_argument("--host-root", help="that folder as the host names it; in a container")
    config.add_argument("--name", help="what to call the document in messages")
    config.add_argument("--check", action="store_true", help="only say whether it is valid")
    config.add_argument("--diff", action="store_true", help="only show what would change")


if __name__ == "__main__":
    main()
