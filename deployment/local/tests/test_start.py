"""`start.sh` where no engine and no network is needed: what it refuses, and whom it calls."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]


class Folder:
    """An installation with `start.sh` and a process runner that prints what it is asked."""

    def __init__(self, root: Path) -> None:
        self.root = root
        library = Path("deployment") / "docker" / "lib"
        shutil.copytree(REPOSITORY / library, root / library)
        shutil.copy(REPOSITORY / "start.sh", root)

    def add_host_processes(self) -> None:
        for name in (".venv/bin/atoll-stack", "deployment/local/bootstrap.sh"):
            script = self.root / name
            script.parent.mkdir(parents=True)
            script.write_text(f'#!/bin/sh\nprintf "{script.name}"; printf " [%s]" "$@"\n')
            script.chmod(0o755)

    def run(self, *arguments: str, at: Path | None = None, **variables: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", self.root / "start.sh", *arguments],
            cwd=at or self.root,
            env={"PATH": os.environ["PATH"], "DEPLOYMENT_TYPE": "local", **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "atoll")


def test_help_names_every_command(folder: Folder) -> None:
    status, told = folder.run("help")
    assert status == 0
    for command in ("install", "run", "run:nogpu", "stop", "status", "check", "build", "cli"):
        assert f"./start.sh {command}" in told
    assert folder.run("nonsense")[0] == 2


@pytest.mark.parametrize("judgement", ["relation", "consistency", "conflict"])
def test_what_is_not_here_yet_says_so(folder: Folder, judgement: str) -> None:
    status, told = folder.run("cli", judgement, "a.png", "b.png", "c.json")
    assert status == 2
    assert "needs the vision-language model" in told


def test_cli_without_a_program(folder: Folder) -> None:
    assert folder.run("cli")[0] == 2
    assert folder.run("cli", "nonsense")[0] == 2


def test_a_type_that_is_none_is_refused(folder: Folder) -> None:
    status, told = folder.run("run", DEPLOYMENT_TYPE="swarm")
    assert (status, "swarm is neither docker nor local" in told) == (1, True)


def test_the_type_may_stand_in_the_settings(folder: Folder) -> None:
    (folder.root / ".env").write_text("DEPLOYMENT_TYPE=swarm\n")
    assert "swarm is neither" in folder.run("run", DEPLOYMENT_TYPE="")[1]


@pytest.mark.parametrize("command", ["install", "run", "build", "status", "cli"])
def test_an_installation_of_containers_without_docker_says_what_to_do(
    folder: Folder, command: str
) -> None:
    status, told = folder.run(command, *(["chat"] if command == "cli" else []))
    assert status == 1
    assert "Start Docker, or import the bundle" in told


def test_host_processes_get_the_command(folder: Folder) -> None:
    folder.add_host_processes()
    assert folder.run("install") == (0, "bootstrap.sh [install]")
    assert folder.run("run", "--no-check") == (0, "bootstrap.sh [run] [--no-check]")
    assert folder.run("status") == (0, "atoll-stack [status]")
    assert folder.run("build") == (0, "bootstrap.sh [frontend]")


def test_workspace_is_the_current_folder(folder: Folder, tmp_path: Path) -> None:
    folder.add_host_processes()
    here = tmp_path / "somewhere else"
    here.mkdir()
    arguments = ("cli", "inference", "run", "ocr", "/workspace/a b.png", "c.png")
    status, told = folder.run(*arguments, at=here)
    assert status == 0
    assert told == f"atoll-stack [cli] [inference] [run] [ocr] [{here}/a b.png] [c.png]"


def test_a_bundle_beside_it_is_imported(folder: Folder) -> None:
    bundle = folder.root / "offline-packages"
    bundle.mkdir()
    (bundle / "import-docker-images.sh").write_text('echo "import to $INSTALL_DIR: $*"\n')
    status, told = folder.run("install", "--yes")
    assert status == 0
    assert f"import to {folder.root}: --yes" in told
