"""Debian packages of the recipes, and their files unpacked in the cache."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from training import TrainingFailed
from training.downloads import cache, debian_package


@dataclass(frozen=True, slots=True)
class Package:
    """A Debian package at one version."""

    name: str
    version: str
    sha256: str

    def unpacked(self) -> Path:
        """The folder with the package's files, laid out as they would be installed.

        Raises:
            TrainingFailed: it could not be fetched or unpacked.
        """
        # An epoch, as in 4:5.27, would be read as a host or a drive by some tools.
        version = self.version.replace(":", ".")
        folder = cache() / "unpacked" / f"{self.name}_{version}"
        if folder.is_dir():
            return folder
        archive = debian_package(self.name, self.version, self.sha256)
        draft = folder.with_name(f".{folder.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        command = ["dpkg-deb", "--extract", str(archive), str(draft)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise TrainingFailed(f"{archive} could not be unpacked: {done.stderr.strip()}")
        draft.rename(folder)
        return folder
