"""One key pair, two miniature releases and their bundles for all tests of this folder."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from .machine import ROOT, Host, build_miniature, checkout, export, remove_images, run

# Releases of this test run alone: another one beside it on the same engine has its own.
SESSION = os.getpid()
OLD, NEW = "0.0.1", "0.0.2"


@dataclass
class Signed:
    """A release that was exported and signed."""

    release: str
    root: Path
    bundle: Path
    key: Path

    @property
    def proof(self) -> tuple[str, str]:
        return ("--public-key", f"{self.key}.pub")


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("key") / "release-key.pem"
    run("bash", ROOT / "deployment" / "docker" / "make-signing-key.sh", file)
    return file


MakeRelease = Callable[..., Signed]


@pytest.fixture(scope="session")
def make_release(key: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeRelease]:
    """Build, export and sign a miniature release; its images are removed at the end."""
    made: list[str] = []

    def make(number: str, fault: str = "", *options: str | Path) -> Signed:
        release = f"{number}-{SESSION}"
        root = checkout(tmp_path_factory.mktemp(release), release)
        build_miniature(release, fault)
        made.append(release)
        export(root, "--sign", key, *options)
        return Signed(release, root, root / "deployment" / "docker" / "offline-packages", key)

    yield make
    for release in made:
        remove_images(release)


@pytest.fixture(scope="session")
def old(make_release: MakeRelease) -> Signed:
    return make_release(OLD)


@pytest.fixture(scope="session")
def new(make_release: MakeRelease) -> Signed:
    return make_release(NEW)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """An empty machine beside the shared engine."""
    machine = Host(tmp_path / "host")
    yield machine
    machine.close()
    shutil.rmtree(machine.folder, ignore_errors=True)
