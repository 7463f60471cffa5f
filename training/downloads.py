"""What recipes fetch: files of Python packages and Debian packages, at one version and hash.

They are kept outside the repository, in `ATOLL_TRAINING_CACHE` or a folder of the user's cache.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from atoll_inference.catalog.lock import sha256_of
from training import TrainingFailed


def cache() -> Path:
    """The folder of downloads, prepared data and training states."""
    base = os.environ.get("ATOLL_TRAINING_CACHE")
    if base:
        return Path(base)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "atoll-training"


def python_package(name: str, version: str, sha256: str) -> Path:
    """The one file of a package of the Python package index.

    Raises:
        TrainingFailed: pip could not fetch it, or its hash is another.
    """
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":none:",
        "--no-build-isolation", "--progress-bar", "off", "--quiet", f"{name}=={version}",
    ]  # fmt: skip
    return _fetch(f"{name}-{version}", command, sha256)


def debian_package(name: str, version: str, sha256: str) -> Path:
    """A Debian package, from apt's own mirrors.

    Raises:
        TrainingFailed: apt could not fetch it, or its hash is another.
    """
    return _fetch(f"{name}_{version}", ["apt-get", "download", f"{name}={version}"], sha256)


def debian_file(path: str, sha256: str) -> Path:
    """A file of the Debian archive, such as `dists/bookworm/Release`.

    `DEBIAN_MIRROR` names another mirror than deb.debian.org; apt's own client fetches it.

    Raises:
        TrainingFailed: it could not be fetched, or its hash is another.
    """
    mirror = os.environ.get("DEBIAN_MIRROR", "http://deb.debian.org/debian").rstrip("/")
    name = path.rsplit("/", 1)[-1]
    command = ["/usr/lib/apt/apt-helper", "download-file", f"{mirror}/{path}", name]
    return _fetch(path.replace("/", "_"), command, sha256)


def _fetch(key: str, command: Sequence[str], sha256: str) -> Path:
    folder = cache() / "downloads" / key
    for file in folder.glob("*"):
        if sha256_of(file) == sha256:
            return file
    work = cache() / "downloads" / ".partial" / key
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    print(f"fetching {key}", flush=True)
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
    files = [file for file in work.iterdir() if file.is_file()]
    if done.returncode or len(files) != 1:
        raise TrainingFailed(
            f"{key} could not be fetched with `{' '.join(command[:3])} …`; check the network and "
            f"the configuration of pip or apt.\n{done.stderr.strip()[-1000:]}"
        )
    found = sha256_of(files[0])
    if found != sha256:
        raise TrainingFailed(f"{key}: its sha256 is {found}; the recipe was made for {sha256}.")
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    work.rename(folder)
    return folder / files[0].name
