"""docs/offline-deployment.md, followed line by line, and what operators are used to besides.

One machine plays both: a checkout that exports, and a folder that imports.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from tests.e2e.stack import free_ports

from .deployment import Deployment
from .images import ROOT, SERVICES, run
from .test_wheelhouse import copy_checkout

GUIDES = [ROOT / "docs" / name for name in ("offline-deployment.md", "offline-deployment.zh-CN.md")]
# Lines that another test runs, since they need a host of another kind.
ELSEWHERE = {
    "bash /media/disk/offline-packages/docker/install-docker-offline.sh": "test_bundle_host.py",
    "bash deployment/docker/rollback.sh --yes": "test_upgrade.py",
    "make wheelhouse": "test_wheelhouse.py",
    "./start.sh install": "test_wheelhouse.py",
}
WITHOUT_DOCKER = ("## 6. Without Docker", "## 6. 不用 Docker")
SPEECH = ROOT / "tests" / "media" / "speech" / "vm-goodbye.wav"


def commands(guide: Path) -> list[tuple[str, str]]:
    """Section and text of every command, in order."""
    found, section, inside = [], "", False
    for line in guide.read_text().splitlines():
        if line.startswith("## "):
            section = line
        elif line.startswith("```"):
            inside = line == "```bash"
        elif inside and line:
            found.append((section, line))
    return found


class World:
    """Two machines in folders: `/media`, `/opt` and the home folder of the guide lie below one."""

    def __init__(self, folder: Path, release: str) -> None:
        self.folder = folder
        self.release = f"{release}-guide-{os.getpid()}"
        self.checkout = folder / "checkout"
        self.target = folder / "opt" / "atoll"
        self.port = free_ports(1)[0]
        self.project = f"atoll-guide-{os.getpid()}"
        copy_checkout(self.checkout)
        for name in ("media/disk", "media/kit", "opt", "root"):
            (folder / name).mkdir(parents=True)
        self.at = self.checkout
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder / "root"),
            "ATOLL_RELEASE": self.release,
            "MODELS_DIR": str(ROOT / "models"),
            **{
                name: os.environ[name]
                for name in (
                    "PIP_FIND_LINKS",
                    "PIP_CERT",
                    "BASE_IMAGE",
                    "DOCKER_HOST",
                    "WHEELS_DIR",
                )
                if name in os.environ
            },
        }
        if "PIP_CERT" in os.environ:
            self.environment["BUILD_CA"] = os.environ["PIP_CERT"]

    def carry(self) -> None:
        """From here on the machine is the one without a network."""
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "root"),
            "HTTP_PORT": str(self.port),
            "COMPOSE_PROJECT_NAME": self.project,
            **{name: os.environ[name] for name in ("DOCKER_HOST",) if name in os.environ},
        }
        self.at = self.folder

    def run(
        self,
        line: str,
        check: bool = True,
        at: Path | None = None,
        more: Mapping[str, str] | None = None,
    ) -> str:
        """One line of the guide, as somebody types it, in the folder where the last one ended.

        Args:
            more: variables besides those of this machine.
        """
        text = re.sub(r"(?<![\w./])/(media|opt)/", rf"{self.folder}/\1/", line)
        marker = self.folder / "pwd"
        done = subprocess.run(
            ["bash", "-c", f"set -euo pipefail\n{text}\npwd >{marker}"],
            cwd=at or self.at,
            env=self.environment | dict(more or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1800,
            check=False,
        )
        assert not check or done.returncode == 0, f"{line}: {done.returncode}\n{done.stdout}"
        if done.returncode == 0 and at is None:
            self.at = Path(marker.read_text().strip())
        return done.stdout

    def remove(self) -> None:
        if (self.target / "docker-compose.yml").exists():
            self.run("docker compose down --volumes --timeout 20", check=False, at=self.target)
        for service in SERVICES:
            name = f"atoll/{service}:{self.release}"
            run("docker", "image", "rm", "--force", name, check=False)


@pytest.fixture(scope="module")
def world(release: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("guide"), release)
    yield made
    made.remove()


def test_both_languages_have_the_same_commands() -> None:
    english, chinese = (commands(guide) for guide in GUIDES)
    assert [line for _, line in english] == [line for _, line in chinese]
    assert len(english) > 40


def test_the_guide_can_be_followed(world: World) -> None:
    """Every command of the page, in the order of the page."""
    told: dict[str, str] = {}
    for section, line in commands(GUIDES[0]):
        if line in ELSEWHERE or section in WITHOUT_DOCKER:
            continue
        if section.startswith("## 2") and world.at == world.checkout:
            world.carry()
        if line == "make models-starter":
            # The models of the checkout under test are those that the copy exports.
            run("make", "models-starter")
            continue
        told[line] = world.run(line)
        if line.startswith("cp deployment-config.example.json"):
            # What the guide says in words: edit the copy.
            file = world.target / "deployment-config.local.json"
            document = json.loads(file.read_text())
            del document["llm"]
            file.write_text(json.dumps(document))
    assert "Paris" in told["./start.sh check"]
    for service in SERVICES:
        assert service in told["docker compose ps"]
        assert f"atoll/{service}" in told['docker images "atoll/*"']
    assert (
        "the backup is whole"
        in told["bash deployment/docker/backup.sh --verify /media/disk/atoll.tar"]
    )
    assert "conversation.db" in told["ls data/db"]
    assert "is an administrator" in told["docker compose exec -T chat-backend atoll-chat set_admin"]
    health = httpx.get(f"http://127.0.0.1:{world.port}/api/health")
    assert health.status_code == 200


def test_familiar_commands_in_containers(world: World) -> None:
    for line in (
        "docker compose exec -T chat-backend bash -c 'echo it is $0'",
        "docker compose exec -T frontend sh -c 'echo it is $0'",
        "docker compose logs --tail 5 inference",
    ):
        assert world.run(line, at=world.target)


def test_cli_in_a_container(world: World, tmp_path: Path) -> None:
    shutil.copy(SPEECH, tmp_path / "a voice.wav")
    start = world.target / "start.sh"
    line = f"{start} cli inference run speech_recognition '/workspace/a voice.wav'"
    answer = next(text for text in world.run(line, at=tmp_path).splitlines() if text[:1] == "{")
    assert "goodbye" in json.loads(answer)["result"]["text"].lower()
    refused = world.run(f"{start} cli relation a b c || echo status $?", at=tmp_path)
    assert "vision-language model" in refused
    assert "status 2" in refused
    assert "admin" in world.run(f"{start} cli chat set_admin", at=tmp_path)


def test_without_a_gpu(world: World) -> None:
    """With the GPU override selected, `run:nogpu` starts what runs on processors."""
    settings = world.target / ".env"
    before = settings.read_text()
    files = f"{world.target}/docker-compose.yml:{world.target}/deployment/docker/compose.gpu.yml"
    kept = [line for line in before.splitlines() if not line.startswith("COMPOSE_FILE=")]
    settings.write_text("\n".join([*kept, f"COMPOSE_FILE={files}", ""]))
    try:
        assert "Paris" in world.run("./start.sh run:nogpu", at=world.target)
    finally:
        settings.write_text(before)
    container = world.run("docker compose ps --quiet inference", at=world.target).strip()
    found = json.loads(run("docker", "inspect", container))[0]
    assert "DEVICE=cpu" in found["Config"]["Env"]
    assert not found["HostConfig"]["DeviceRequests"]


@pytest.fixture(scope="module")
def small(world: World) -> Path:
    """A bundle of one image, made by `start.sh build`."""
    output = world.folder / "small" / "offline-packages"
    output.parent.mkdir()
    options = f"--no-build --services gateway --output {output}"
    world.run(
        f"./start.sh build {options}", at=world.checkout, more={"ATOLL_RELEASE": world.release}
    )
    return output


def test_start_builds_a_bundle(small: Path) -> None:
    assert (small / "nginx-image.tar").stat().st_size > 10_000_000
    run("sha256sum", "--quiet", "-c", "checksums.sha256", cwd=small)


def test_a_bundle_survives_tar(small: Path, tmp_path: Path) -> None:
    packed = tmp_path / "atoll-docker-offline.tar.gz"
    run("tar", "-czf", packed, "offline-packages", cwd=small.parent)
    run("tar", "-xzf", packed, cwd=tmp_path)
    verify = ROOT / "deployment" / "docker" / "verify-bundle.sh"
    run("bash", verify, "--allow-unsigned", tmp_path / "offline-packages")


def test_start_installs_a_bundle(world: World, small: Path, tmp_path: Path) -> None:
    run("cp", "-r", small, tmp_path / "offline-packages")
    shutil.copy(ROOT / "start.sh", tmp_path)
    shutil.copytree(small / "lib", tmp_path / "deployment" / "docker" / "lib")
    elsewhere = {
        "HTTP_PORT": str(free_ports(1)[0]),
        "COMPOSE_PROJECT_NAME": f"{world.project}-small",
    }
    told = world.run("./start.sh install --yes --allow-unsigned", at=tmp_path, more=elsewhere)
    assert "importing the bundle" in told
    assert (tmp_path / ".atoll" / "releases" / world.release).is_dir()
    assert (tmp_path / "docker-compose.yml").exists()


def test_the_familiar_env_by_hand(release: str, tmp_path: Path) -> None:
    """Written in deployment/docker, as operators do, it is the one .env of the installation."""
    made = Deployment(tmp_path / "installed", f"atoll-env-{os.getpid()}", release)
    made.folder.mkdir()
    made.install()
    docker = made.folder / "deployment" / "docker"
    text = "LLM_API_URL=http://10.0.0.5:11553/v1/chat/completions\nLLM_MODEL=glm4_32B_chat\n"
    run("bash", "-c", f"cat > .env << EOF\n{text}FRONTEND_API_URL=http://10.0.0.1\nEOF", cwd=docker)
    assert (made.folder / ".env").read_text().startswith(text)
    for place in (docker, made.folder):
        assert "glm4_32B_chat" in run("docker", "compose", "config", cwd=place)
