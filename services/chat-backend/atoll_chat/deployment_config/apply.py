"""Applies a deployment configuration: every file of it is written, or none."""

import difflib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from atoll_chat.deployment_config import site
from atoll_chat.deployment_config.dotenv_file import changed, masked, read
from atoll_chat.deployment_config.schema import parse
from atoll_chat.deployment_config.variables import (
    BEHIND_NGINX,
    CLONE_FILE,
    compose_files,
    wanted,
)

KEPT = 5


@dataclass(frozen=True, slots=True)
class Change:
    """A file as it is and as it should be; None where there is none.

    `beginning` is what a new file begins as: a difference to it says more than the whole file.
    """

    path: Path
    before: str | None
    after: str | None
    beginning: str = ""

    def diff(self, root: Path) -> str:
        """What changes, without secrets."""
        name = str(self.path.relative_to(root))
        old, new = (
            [masked(line) for line in (text or "").splitlines()]
            for text in (self.beginning if self.before is None else self.before, self.after)
        )
        if old == new:
            # Only hidden values differ.
            return f"{name}: a secret changes"
        return "\n".join(difflib.unified_diff(old, new, name, name, n=1, lineterm=""))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a document asks for."""

    root: Path
    changes: list[Change]
    warnings: list[str]
    type: str


def plan(text: str, root: Path, place: str | None = None) -> Plan:
    """What has to change in the installation `root` for the document `text`. Changes nothing.

    Args:
        place: where `root` is for the host, when this process sees it elsewhere.

    Raises:
        ConfigProblem: the document is not valid.
        OSError: a file cannot be read.
    """
    config = parse(text)
    asked = wanted(config)
    environment = _read(root / ".env")
    start = environment
    if start is None:
        start = _read(root / ".env.example") or ""
    present = read(start)
    site_file = root / site.FILE
    has_site = _read(site_file)
    ours = has_site is not None and has_site.startswith(site.HEADING)
    variables = dict(asked.variables)
    in_clone = (root / CLONE_FILE).exists()
    files = compose_files(
        present.get("COMPOSE_FILE"), asked.overrides, place or str(root), in_clone
    )
    if files != present.get("COMPOSE_FILE"):
        variables["COMPOSE_FILE"] = files
    if "nginx" in config.model_fields_set and config.nginx.enabled and ours:
        # What an earlier document set for an nginx in front goes with its file.
        variables = {**dict.fromkeys(BEHIND_NGINX), **variables}
    after = changed(start, variables)
    changes = [Change(root / ".env", environment, after, start)]
    if has_site is not None and not ours:
        if not config.nginx.enabled:
            asked.warnings.append(f"{site.FILE}: was not written by this script and stays as it is")
    elif not config.nginx.enabled:
        text = site.render(read(after)["HTTP_PORT"], config.nginx.server_name)
        changes.append(Change(site_file, has_site, text))
    elif "nginx" in config.model_fields_set:
        changes.append(Change(site_file, has_site, None))
    return Plan(
        root,
        [change for change in changes if change.before != change.after],
        asked.warnings,
        config.deployment.type,
    )


def apply(what: Plan) -> list[Path]:
    """Write the files of a plan; the copies of what they replace.

    Every new file is on the disk before the first takes its place.

    Raises:
        OSError: something cannot be written; then nothing has changed.
    """
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"
    copies = []
    with _prepared(what) as prepared:
        for change in what.changes:
            if change.before is not None:
                copy = change.path.with_name(f"{change.path.name}.bak-{stamp}")
                _write(copy, change.before, change.path)
                copies.append(copy)
        for change, new in zip(what.changes, prepared, strict=True):
            if new is None:
                change.path.unlink()
            else:
                new.rename(change.path)
    for change in what.changes:
        for old in sorted(change.path.parent.glob(f"{change.path.name}.bak-*"))[:-KEPT]:
            old.unlink()
    return copies


@contextmanager
def _prepared(what: Plan) -> Iterator[list[Path | None]]:
    prepared: list[Path | None] = []
    try:
        for change in what.changes:
            new = None
            if change.after is not None:
                change.path.parent.mkdir(exist_ok=True)
                new = change.path.with_name(f".{change.path.name}.new-{os.getpid()}")
                prepared.append(new)
                _write(new, change.after, change.path)
            else:
                prepared.append(None)
        yield prepared
    finally:
        for path in prepared:
            if path is not None:
                path.unlink(missing_ok=True)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _write(path: Path, text: str, like: Path) -> None:
    """Write a new file with the owner and mode of `like`, or for the owner alone."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        if like.exists():
            status = like.stat()
            os.fchmod(file.fileno(), status.st_mode & 0o777)
            if os.geteuid() == 0:
                os.fchown(file.fileno(), status.st_uid, status.st_gid)
        elif like.suffix == ".conf":
            os.fchmod(file.fileno(), 0o644)
        os.fsync(file.fileno())
