"""`atoll-chat backup`, `backup-verify` and `restore`: archives of the data."""

import io
import sys
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from atoll_chat.backup import BackupError
from atoll_chat.backup.reading import Unpacked
from atoll_chat.backup.restoring import restore, verify
from atoll_chat.backup.taking import take
from atoll_chat.commands import CommandError
from atoll_chat.commands.archives import STREAM, failures, source, target
from atoll_chat.commands.opening import writer
from atoll_chat.migrations.runner import Schema, inspect
from atoll_chat.settings import DataSettings

# Configuration is text; more than this was given by mistake.
LARGEST_CONFIG = 64 * 1024 * 1024


def run(settings: DataSettings, to: str, config: Sequence[Path], config_stdin: bool) -> int:
    """Write a backup to `to`, a new file, or to standard output."""
    named = dict(_read_config(config))
    with failures(settings):
        if config_stdin:
            named |= _unpack_config(sys.stdin.buffer)
        with target(to) as out:
            taken = take(settings, out, named, _say)
    for fault in taken.faults:
        _say(f"warning: {fault}; the backup holds everything else")
    where = "standard output" if to == STREAM else to
    _say(
        f"wrote {taken.rows} rows, {taken.files} files and {len(named)} files of configuration at "
        f"schema {taken.revision} to {where}"
    )
    return 0


def run_verify(settings: DataSettings, of: str, scratch: Path | None) -> int:
    """Restore the backup `of` into a scratch folder and compare it with its manifest."""
    with failures(settings), source(of) as stream:
        unpacked = verify(stream, scratch or settings.data_dir)
    for fault in unpacked.manifest.faults:
        print(f"note: when the backup was taken, {fault}")
    print(f"the backup is whole: {_described(unpacked)}")
    for name, table in sorted(unpacked.manifest.tables.items()):
        print(f"  {name:24} {table.rows:>10} rows  {table.sha256[:16]}")
    return 0


def run_restore(settings: DataSettings, of: str, config_to: Path | None) -> int:
    """Put the backup `of` in the place of the data; refuses while the server runs."""
    with (
        writer(settings, restoring=True) as database,
        failures(settings),
        source(of) as stream,
    ):
        restored = restore(settings, database, stream, config_to)
        state, _ = inspect(database)
    print(f"restored {_described(restored.backup)}")
    if restored.replaced:
        print(f"what was there before is kept in {restored.replaced}")
    if state is Schema.BEHIND:
        print("this release has a newer schema; run next: atoll-chat migrate")
    return 0


def _described(unpacked: Unpacked) -> str:
    rows = sum(table.rows for table in unpacked.manifest.tables.values())
    header = unpacked.header
    return (
        f"{rows} rows and {unpacked.files} files of {header.created_at:%Y-%m-%d %H:%M} UTC, "
        f"schema {header.revision}, release {header.release}"
    )


def _read_config(given: Sequence[Path]) -> Iterator[tuple[str, bytes]]:
    for top in given:
        try:
            paths = sorted(p for p in top.rglob("*") if p.is_file()) if top.is_dir() else [top]
            for path in paths:
                yield str(path.relative_to(top.parent)), path.read_bytes()
        except OSError as error:
            raise CommandError(f"--config: {error.filename}: {error.strerror}", status=2) from error


def _unpack_config(stream: BinaryIO) -> dict[str, bytes]:
    """Regular files of a tar archive, by name."""
    found: dict[str, bytes] = {}
    content = stream.read(LARGEST_CONFIG + 1)
    if len(content) > LARGEST_CONFIG:
        raise BackupError("More than 64 MiB of configuration came on standard input.")
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            for member in archive:
                held = archive.extractfile(member) if member.isreg() else None
                if held is not None:
                    found[member.name.removeprefix("./")] = held.read()
    except tarfile.TarError as error:
        raise BackupError(f"What came on standard input is no tar archive: {error}.") from error
    return found


def _say(text: str) -> None:
    # Standard output may be the backup itself.
    print(f"atoll-chat: {text}", file=sys.stderr)
