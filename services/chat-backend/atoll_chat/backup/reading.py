"""Unpacks an archive and believes nothing in it before it was checked."""

import hashlib
import os
import shutil
import sqlite3
import tarfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from atoll_chat.backup import BackupError
from atoll_chat.backup.contents import check, contents
from atoll_chat.backup.format import (
    DATABASE,
    FILES,
    HEADER,
    MANIFEST,
    VERSION,
    Entry,
    Header,
    Manifest,
    is_member,
)
from atoll_chat.migrations.backup import reading

CHUNK = 1024 * 1024
# Header and manifest are read into memory: room for some millions of files.
LONGEST_TEXT = 1024 * 1024 * 1024
# What has to stay free on the disk beside what is unpacked.
RESERVE = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A checked archive, whose members lie below `folder` under their names."""

    folder: Path
    header: Header
    manifest: Manifest

    @property
    def database(self) -> Path:
        """The copy of the database."""
        return self.folder / DATABASE

    @property
    def files(self) -> int:
        """How many files there are."""
        return sum(entry.path.startswith(FILES) for entry in self.manifest.entries)


def unpack(stream: BinaryIO, folder: Path) -> Unpacked:
    """Unpack the archive in `stream`, which needs no seeking, into the empty `folder`.

    Everything is on the disk and compared afterwards: names, sizes and hashes of all members, the
    database by SQLite's own check, its rows table by table, and its files with their contents.

    Raises:
        BackupError: it is no backup, not whole, altered, damaged, or the disk is too small.
        OSError: something cannot be read or written.
    """
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            header = _header(archive, folder)
            entries, manifest = _members(archive, folder)
    except (tarfile.TarError, EOFError, ValidationError) as error:
        raise BackupError(f"This is no backup of Atoll, or it is damaged: {error}") from error
    if entries != manifest.entries:
        raise BackupError(f"The backup was altered or is damaged: {_first(entries, manifest)}.")
    unpacked = Unpacked(folder, header, manifest)
    _compare(unpacked)
    return unpacked


def _header(archive: tarfile.TarFile, folder: Path) -> Header:
    first = archive.next()
    if first is None or first.name != HEADER:
        raise BackupError("This is no backup of Atoll: it does not begin with a header.")
    header = Header.model_validate_json(_text(archive, first))
    if header.version != VERSION:
        raise BackupError(
            f"The backup has format {header.version}, and this release reads {VERSION}. Use the "
            f"release that made it: {header.release}."
        )
    free = shutil.disk_usage(folder).free
    if free < header.bytes + RESERVE:
        raise BackupError(
            f"{folder} has {free} bytes free, and unpacking needs {header.bytes + RESERVE}. Make "
            "room, or name another folder."
        )
    return header


def _members(archive: tarfile.TarFile, folder: Path) -> tuple[list[Entry], Manifest]:
    entries: list[Entry] = []
    seen: set[str] = set()
    while (member := archive.next()) is not None:
        if member.name == MANIFEST:
            manifest = Manifest.model_validate_json(_text(archive, member))
            if archive.next() is not None:
                raise BackupError("The backup was altered: it goes on after its end.")
            return entries, manifest
        if not member.isreg() or not is_member(member.name) or member.name in seen:
            raise BackupError(f"The backup was altered: it holds {member.name[:200]!r}.")
        seen.add(member.name)
        entries.append(_store(archive, member, folder / member.name))
    raise BackupError("The backup is not whole: its end is missing.")


def _text(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    source = archive.extractfile(member) if member.isreg() else None
    if source is None or member.size > LONGEST_TEXT:
        raise BackupError("The backup was altered: its description is no text.")
    return source.read()


def _store(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> Entry:
    source = archive.extractfile(member)
    assert source is not None
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = hashlib.sha256()
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return Entry(path=member.name, size=member.size, sha256=digest.hexdigest())


def _first(entries: list[Entry], manifest: Manifest) -> str:
    for found, wanted in zip(entries, manifest.entries, strict=False):
        if found != wanted:
            return f"{found.path} is not what was backed up"
    return f"it has {len(entries)} members instead of {len(manifest.entries)}"


def _compare(unpacked: Unpacked) -> None:
    database = unpacked.database
    if not database.is_file():
        raise BackupError("The backup holds no database.")
    check(database)
    try:
        found = contents(database)
        with closing(reading(database)) as connection:
            rows = connection.execute("SELECT id, size, sha256 FROM files").fetchall()
    except sqlite3.Error as error:
        raise BackupError(f"The database in the backup cannot be read: {error}.") from error
    wanted = unpacked.manifest.tables
    for name in sorted({*found, *wanted}):
        if found.get(name) != wanted.get(name):
            raise BackupError(f"The table {name} is not what was backed up.")
    held = {
        e.path.rpartition("/")[2]: e for e in unpacked.manifest.entries if e.path.startswith(FILES)
    }
    for file_id, size, sha256 in rows:
        entry = held.pop(file_id, None)
        same = entry is not None and (entry.size, entry.sha256) == (size, sha256)
        if not same and not any(file_id in fault for fault in unpacked.manifest.faults):
            raise BackupError(f"The content of file {file_id} is not what was uploaded.")
    if held:
        raise BackupError(f"The backup holds {len(held)} files that its database does not know.")
