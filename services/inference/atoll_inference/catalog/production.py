"""Installs the production checkpoints of the catalog from the model hub.

The commit is resolved first and everything is taken at it. Pickled weights are converted at once,
in a process of their own. `models.lock.json` records what came and what was made of it; while it
is there, a fetch takes exactly that again or nothing.
"""

import shutil
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from atoll_inference.catalog import conversion
from atoll_inference.catalog.hub import Hub, RemoteFile, Repository
from atoll_inference.catalog.lock import (
    LOCK_NAME,
    MODELS_LOCK_NAME,
    BadLock,
    HashedFile,
    Lock,
    LockedCheckpoint,
    files_under,
    hash_files,
    lock_files,
    read_lock,
    read_models_lock,
    reread,
    write_record,
)
from atoll_inference.catalog.slots import Production
from atoll_inference.catalog.store import FetchFailed, Say, empty, fetching, place


class ProductionFetch:
    """Fetches into one models folder from one hub."""

    def __init__(self, models_dir: Path, hub: Hub, say: Say) -> None:
        self._models_dir = models_dir
        self._hub = hub
        self._say = say

    def fetch(
        self, slot: str, entry: Production, *, revision: str | None = None, update: bool = False
    ) -> Path:
        """Install the checkpoint of `slot`; returns its folder.

        When it is already there at the wanted commit and untouched since, nothing is read, and
        with a lock nothing is asked of the hub.

        Args:
            revision: branch, tag or commit instead of the catalog's.
            update: resolve the revision anew, whatever `models.lock.json` says.

        Raises:
            FetchFailed: the hub, a hash, the conversion, the disk, or a folder that is not ours.
        """
        folder = self._models_dir / slot / entry.name
        with fetching(self._models_dir, self._say) as cache:
            locked = None if update else self._locked(slot, entry, revision)
            if locked is not None and _has(folder, locked.id, locked.revision, self._say):
                self._say(f"{slot}: {entry.id} is already installed")
                return folder
            wanted = locked.revision if locked else revision or entry.revision
            repository = self._hub.repository(entry.id, wanted)
            if _has(folder, entry.id, repository.revision, self._say):
                self._say(f"{slot}: {entry.id} is already installed")
            else:
                self._install(slot, entry, repository, locked, cache)
            self._record(slot, entry, folder)
        return folder

    def _locked(
        self, slot: str, entry: Production, revision: str | None
    ) -> LockedCheckpoint | None:
        try:
            locked = read_models_lock(self._models_dir).checkpoints.get(slot)
        except BadLock as error:
            raise FetchFailed(str(error)) from error
        if locked is None:
            return None
        if locked.id != entry.id:
            raise FetchFailed(
                f"{MODELS_LOCK_NAME} has {locked.id} for {slot} and the catalog names {entry.id}. "
                "Add --update to take the catalog's."
            )
        if revision is not None and revision != locked.revision:
            raise FetchFailed(
                f"{MODELS_LOCK_NAME} holds {locked.id} at {locked.revision}. Add --update to take "
                f"{revision} instead."
            )
        return locked

    def _install(
        self,
        slot: str,
        entry: Production,
        repository: Repository,
        locked: LockedCheckpoint | None,
        cache: Path,
    ) -> None:
        folder = self._models_dir / slot / entry.name
        if folder.exists() and read_lock(folder / LOCK_NAME) is None:
            raise FetchFailed(
                f"{folder} is there and was not fetched by this command. Rename or remove it."
            )
        chosen, is_pickled = choose(entry, repository)
        self._check_space(chosen, is_pickled)
        self._say(
            f"{slot}: {entry.id} at {repository.revision[:12]}, "
            f"{sum(file.bytes for file in chosen) / 1e6:.0f} MB"
        )
        download = cache / "hub" / entry.id.replace("/", "--") / repository.revision
        came = tuple(self._hub.fetch(repository, file, download, self._say) for file in chosen)
        if locked is not None:
            _compare(f"{entry.id} on the hub", locked.hub_files, came)
        _keep_only(download, {file.name for file in came})
        kind = entry.convert if is_pickled else None
        stage = download
        if kind is not None:
            self._say(f"converting {entry.id}")
            stage = empty(cache / "install")
            try:
                conversion.convert(kind, download, stage)
            except conversion.ConversionFailed as error:
                raise FetchFailed(str(error)) from error
            files = hash_files(stage, files_under(stage))
        else:
            files = came
        if locked is not None:
            _compare(f"{entry.id} as converted here", locked.files, files)
        lock = Lock(
            source=_source(entry.id, repository.revision),
            licence=repository.licence or entry.licence,
            starter=False,
            files=lock_files(stage, files),
            converted=kind,
            inputs=came,
        )
        place(stage, folder, lock)
        shutil.rmtree(download.parent, ignore_errors=True)
        self._say(f"{slot}: {entry.id} installed in {folder}")

    def _check_space(self, chosen: Sequence[RemoteFile], is_pickled: bool) -> None:
        needed = sum(file.bytes for file in chosen) * (2 if is_pickled else 1)
        free = shutil.disk_usage(self._models_dir).free
        if needed > free:
            raise FetchFailed(
                f"{self._models_dir} needs {needed / 1e6:.0f} MB for this and has "
                f"{free / 1e6:.0f} MB free."
            )

    def _record(self, slot: str, entry: Production, folder: Path) -> None:
        """Bring `models.lock.json` in line with the record in the folder."""
        lock = read_lock(folder / LOCK_NAME)
        assert lock is not None
        path = self._models_dir / MODELS_LOCK_NAME
        try:
            known = read_models_lock(self._models_dir)
        except BadLock as error:
            raise FetchFailed(str(error)) from error
        checkpoint = LockedCheckpoint(
            id=entry.id,
            revision=lock.source.split("@")[1],
            licence=lock.licence,
            folder=f"{slot}/{entry.name}",
            converted=lock.converted,
            hub_files=lock.inputs,
            files=lock.hashes(),
        )
        if known.checkpoints.get(slot) != checkpoint:
            write_record(path, known.with_checkpoint(slot, checkpoint))


def choose(entry: Production, repository: Repository) -> tuple[tuple[RemoteFile, ...], bool]:
    """The files to take, and whether the weights among them are pickled.

    Raises:
        FetchFailed: the repository has no weights, or a name that leads out of a folder.
    """
    plain = _matching(entry.weights, repository.files)
    pickled = () if plain else _matching(entry.pickled, repository.files)
    others = _matching(entry.files, repository.files)
    if (entry.weights or entry.pickled) and not (plain or pickled):
        raise FetchFailed(
            f"{entry.id} at {repository.revision[:12]} has none of "
            f"{', '.join((*entry.weights, *entry.pickled))}."
        )
    if not (plain or pickled or others):
        raise FetchFailed(f"{entry.id} has none of {', '.join(entry.files)}.")
    exact = {p for p in entry.weights if "*" not in p and p.endswith((".gguf", ".safetensors"))}
    if plain and (absent := sorted(exact - {file.name for file in plain})):
        raise FetchFailed(f"{entry.id} at {repository.revision[:12]} has no {absent[0]}.")
    chosen = {file.name: file for file in (*others, *plain, *pickled)}
    for name in chosen:
        if name.startswith("/") or ".." in name.split("/") or "\\" in name:
            raise FetchFailed(f"{entry.id} has a file whose name leads out of its folder: {name}")
    return tuple(chosen[name] for name in sorted(chosen)), bool(pickled)


def _matching(patterns: Iterable[str], files: Sequence[RemoteFile]) -> tuple[RemoteFile, ...]:
    return tuple(
        file
        for file in files
        if any(
            fnmatchcase(file.name, pattern) and file.name.count("/") == pattern.count("/")
            for pattern in patterns
        )
    )


def _source(repo: str, revision: str) -> str:
    return f"{repo}@{revision}"


def _has(folder: Path, repo: str, revision: str, say: Say) -> bool:
    """Whether the folder holds that commit. Files with new times, as after a copy, are read."""
    path = folder / LOCK_NAME
    lock = read_lock(path)
    if lock is None or lock.source != _source(repo, revision):
        return False
    if lock.is_untouched(folder):
        return True
    say(f"checking {folder}")
    again = reread(folder, lock)
    if again is not None:
        write_record(path, again)
    return again is not None


def _keep_only(folder: Path, names: set[str]) -> None:
    """Remove what an earlier fetch of the same commit left and this one did not ask for."""
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).as_posix() not in names:
            path.unlink()


def _compare(what: str, locked: Sequence[HashedFile], found: Sequence[HashedFile]) -> None:
    expected = {file.name: file.sha256 for file in locked}
    actual = {file.name: file.sha256 for file in found}
    wrong = sorted(n for n in expected.keys() | actual.keys() if expected.get(n) != actual.get(n))
    if wrong:
        raise FetchFailed(
            f"{what} is not what {MODELS_LOCK_NAME} records: {', '.join(wrong[:5])}. Nothing was "
            "installed. If the change is meant, run this again with --update."
        )
