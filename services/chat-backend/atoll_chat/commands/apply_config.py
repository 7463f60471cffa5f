"""`atoll-chat apply-config`: a deployment configuration becomes `.env` and nginx files."""

import sys
from pathlib import Path

from atoll_chat.commands import CommandError
from atoll_chat.deployment_config import ConfigProblem
from atoll_chat.deployment_config.apply import Plan, apply, plan
from atoll_chat.deployment_config.schema import json_schema

INVALID = 2
_NEXT = {
    "docker": "docker compose up -d",
    "local": "./start.sh run",
}


def run(
    file: str | None, root: Path, place: str | None, name: str | None, *, check: bool, diff: bool
) -> int:
    """Apply the document `file`, `-` being standard input, to the installation `root`.

    Args:
        place: where `root` is for the host, when this process sees it elsewhere.
        name: what to call the document in messages.
        check: only say whether it is valid.
        diff: only show what would change.
    """
    if file is None:
        print(json_schema(), end="")
        return 0
    shown = name or file
    try:
        what = plan(_read(file), root.resolve(), place)
        for warning in what.warnings:
            print(f"warning: {warning}", file=sys.stderr)
        if diff:
            print("\n".join(c.diff(what.root) for c in what.changes) or "nothing would change")
        if check or diff:
            print(f"{shown} is valid")
            return 0
        return _apply(what)
    except ConfigProblem as problem:
        lines = "\n".join(f"  {line}" for line in problem.lines)
        raise CommandError(
            f"{shown} is not valid; nothing was changed:\n{lines}", status=INVALID
        ) from None
    except UnicodeDecodeError as error:
        raise CommandError(f"{shown} is not UTF-8 text: {error}", status=INVALID) from None
    except OSError as error:
        where = error.filename or root
        raise CommandError(f"{where}: {error.strerror}. Nothing was changed.") from error


def _apply(what: Plan) -> int:
    if not what.changes:
        print("nothing to change")
        return 0
    copies = apply(what)
    for change in what.changes:
        verb = "removed" if change.after is None else "wrote"
        print(f"{verb} {change.path.relative_to(what.root)}")
    for copy in copies:
        print(f"the old one is kept as {copy.relative_to(what.root)}")
    print(f"it counts from the next start: {_NEXT[what.type]}")
    return 0


def _read(file: str) -> str:
    content = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    return content.decode("utf-8-sig")
