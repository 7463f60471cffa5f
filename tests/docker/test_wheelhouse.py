"""A host without Docker and without a network: a bare Debian, the checkout, and offline/.

The host is a container of the base image with no network but its loopback interface. Nothing is in
it but Debian's smallest system: no Python, no nginx.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .deployment import wait_until
from .images import BASE, ROOT, run

PORT = 8099
SPEECH = "/workspace/tests/media/speech/vm-goodbye.wav"


def copy_checkout(target: Path) -> None:
    """What git would carry, with what has not been committed."""
    names = run("git", "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    there = [name for name in names if (ROOT / name).exists()]
    target.mkdir()
    listed = subprocess.run(
        ["tar", "--create", "--files-from=-"],
        cwd=ROOT,
        input="\n".join(there).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    subprocess.run(["tar", "--extract", "-C", target], input=listed.stdout, check=True)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with offline/ in it. ATOLL_WHEELHOUSE names one that was collected before."""
    folder = tmp_path_factory.mktemp("wheelhouse") / "checkout"
    copy_checkout(folder)
    collected = os.environ.get("ATOLL_WHEELHOUSE")
    if collected:
        run("cp", "-rl", collected, folder / "offline")
        (folder / "offline" / ".checked").unlink(missing_ok=True)
    else:
        (folder / ".venv").symlink_to(ROOT / ".venv")
        run(folder / "deployment" / "local" / "wheelhouse.sh", timeout=1800)
        (folder / ".venv").unlink()
    return folder


class Machine:
    """The bare host."""

    def __init__(self, checkout: Path) -> None:
        self.id = run(
            *("docker", "run", "--detach", "--init", "--network", "none"),
            *("--name", f"atoll-bare-{os.getpid()}"),
            *("--volume", f"{checkout}:/opt/atoll", "--workdir", "/opt/atoll"),
            *("--env", f"HTTP_PORT={PORT}", BASE, "sleep", "infinity"),
        ).splitlines()[-1]

    def run(self, *command: str, check: bool = True, timeout: float = 900) -> str:
        return run("docker", "exec", self.id, *command, check=check, timeout=timeout)

    def start(self, *command: str, log: str) -> None:
        """Run a command in the background, with its output in `log`."""
        line = f"exec {' '.join(command)} >{log} 2>&1"
        run("docker", "exec", "--detach", self.id, "bash", "-c", line)

    def fetch(self, path: str) -> str:
        """A page of the stack, by the Python that was installed."""
        code = (
            "import sys, urllib.request; "
            "sys.stdout.write(urllib.request.urlopen(sys.argv[1]).read().decode())"
        )
        address = f"http://127.0.0.1:{PORT}{path}"
        return self.run("/opt/atoll/.venv/bin/python", "-c", code, address)


@pytest.fixture(scope="module")
def machine(checkout: Path) -> Iterator[Machine]:
    bare = Machine(checkout)
    yield bare
    run("docker", "rm", "--force", bare.id, check=False)


def test_a_wheelhouse_that_was_altered_is_refused(checkout: Path, machine: Machine) -> None:
    wheel = min((checkout / "offline" / "packages").glob("*.whl"), key=lambda p: p.stat().st_size)
    content = wheel.read_bytes()
    # Another file, in case this one is linked to a wheelhouse that is used again.
    wheel.unlink()
    wheel.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    refused = machine.run("./start.sh", "install", check=False)
    assert wheel.name in refused
    assert "Copy it again" in refused
    assert not (checkout / ".venv" / "bin").exists()
    wheel.write_bytes(content)


def test_a_bare_machine_without_a_network_installs_and_answers(machine: Machine) -> None:
    assert "bash: line 1: python3" in machine.run("bash", "-c", "python3 --version", check=False)
    machine.run("./start.sh", "install")
    machine.start("./start.sh", "run", log="/tmp/run.log")

    def ready() -> bool:
        told = machine.run("cat", "/tmp/run.log", check=False)
        assert "no model answered" not in told, told
        return "first-admin-password" in told

    wait_until("the stack", ready, 240)
    told = machine.run("cat", "/tmp/run.log")
    assert "Paris" in told
    assert "<title>Atoll" in machine.fetch("/login")
    assert "<title>Atoll API" in machine.fetch("/docs/")
    machine.run("./start.sh", "status")
    assert "Paris" in machine.run("./start.sh", "check")
    # A second start finds everything done.
    assert "installing" not in machine.run("./start.sh", "install")


def test_cli(machine: Machine) -> None:
    told = machine.run("./start.sh", "cli", "inference", "run", "speech_recognition", SPEECH)
    answer = next(line for line in told.splitlines() if line[:1] == "{")
    assert "goodbye" in json.loads(answer)["result"]["text"].lower()
    for judgement in ("relation", "consistency", "conflict"):
        code = f"./start.sh cli {judgement} a.png b.png c.json; echo status $?"
        refused = machine.run("bash", "-c", code)
        assert "vision-language model" in refused
        assert "status 2" in refused
    assert "admin" in machine.run("./start.sh", "cli", "chat", "set_admin")
    machine.run("./start.sh", "stop")
    assert "nothing runs" in machine.run("./start.sh", "status", check=False)
