"""A machine that exports and one that imports, both played by folders beside one engine."""

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[3]
MINIATURE = Path(__file__).parent / "miniature"
SERVICES = ("gateway", "frontend", "chat-backend", "inference")
BASE_IMAGE = os.environ.get("BASE_IMAGE", "debian:bookworm-slim")


def run(
    *command: str | Path,
    check: bool = True,
    timeout: float = 600,
    cwd: Path | None = None,
    more: Mapping[str, str] | None = None,
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """A command with its output; what it printed is in the error when it fails.

    Args:
        more: environment variables besides those of this process; so are the named ones.
    """
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **(more or {}), **environment},
    )
    if check:
        assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def build_miniature(release: str, fault: str = "", *services: str) -> None:
    """The images of a miniature release, one of its steps broken where a fault is named."""
    for service in services or SERVICES:
        run(
            *("docker", "build", "--quiet", "--tag", f"atoll/{service}:{release}"),
            *("--build-arg", f"BASE_IMAGE={BASE_IMAGE}", "--build-arg", f"SERVICE={service}"),
            *("--build-arg", f"RELEASE={release}", "--build-arg", f"FAULT={fault}"),
            MINIATURE,
        )


def remove_images(release: str) -> None:
    for service in SERVICES:
        run("docker", "image", "rm", "--force", f"atoll/{service}:{release}", check=False)


def images(*, host: str = "") -> set[str]:
    """Names of all images of the stack that an engine has."""
    where = ("--host", host) if host else ()
    listed = run("docker", *where, "image", "ls", "--format", "{{.Repository}}:{{.Tag}}").stdout
    return {name for name in listed.split() if name.startswith("atoll/")}


def checkout(folder: Path, release: str) -> Path:
    """A checkout as the export script sees it, with the miniature in place of the stack."""
    scripts = folder / "deployment" / "docker"
    shutil.copytree(
        ROOT / "deployment" / "docker",
        scripts,
        ignore=shutil.ignore_patterns("offline-packages*", "wheels", ".env"),
    )
    shutil.copy(MINIATURE / "docker-compose.yml", folder)
    shutil.copy(ROOT / ".env.example", folder)
    (folder / "VERSION").write_text(release + "\n")
    return folder


def export(
    root: Path, *options: str | Path, check: bool = True, **environment: str
) -> subprocess.CompletedProcess[str]:
    script = root / "deployment" / "docker" / "export-docker-images.sh"
    return run("bash", script, "--no-build", *options, check=check, more=environment)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@dataclass
class Host:
    """An install folder on the machine that imports, and its containers."""

    folder: Path
    port: int = field(default_factory=free_port)
    model: bool = True

    def __post_init__(self) -> None:
        if not self.model:
            return
        # The self-test asks a model only where there is one.
        model = self.folder / "models" / "chat" / "tiny" / "tiny.gguf"
        model.parent.mkdir(parents=True, exist_ok=True)
        model.touch()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "INSTALL_DIR": str(self.folder),
            "HTTP_PORT": str(self.port),
            "COMPOSE_PROJECT_NAME": f"atoll-bundle-{self.port}",
            "ATOLL_START_TIMEOUT": "60",
        }

    def install(
        self, bundle: Path, *options: str | Path, check: bool = True, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Import a bundle with its own script and start it."""
        return run(
            *("bash", bundle / "import-docker-images.sh", "--yes", "--start", *options),
            check=check,
            more=self.environment | environment,
        )

    def rollback(self, *options: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        script = self.folder / "deployment" / "docker" / "rollback.sh"
        return run("bash", script, "--yes", *options, check=check, more=self.environment)

    def served(self, seconds: float = 0) -> str:
        """The release that answers at the port, or nothing."""
        end = time.monotonic() + seconds
        while True:
            try:
                url = f"http://127.0.0.1:{self.port}/release"
                with urllib.request.urlopen(url, timeout=5) as answer:
                    text: str = answer.read().decode().strip()
                    return text
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                if time.monotonic() >= end:
                    return ""
                time.sleep(0.2)

    @property
    def committed(self) -> str:
        path = self.folder / ".atoll" / "release"
        return path.read_text().strip() if path.exists() else ""

    @property
    def rows(self) -> list[str]:
        """Lines of the miniature's database."""
        return (self.folder / "data" / "db" / "conversation.db").read_text().splitlines()

    def write_row(self, text: str) -> None:
        with (self.folder / "data" / "db" / "conversation.db").open("a") as file:
            file.write(text + "\n")

    def pictures(self) -> dict[str, str]:
        """What is installed: every file but the ones that change by the minute, and the images."""
        skipped = ("journal", "data/", ".atoll/lock", ".backup")
        return {
            str(path.relative_to(self.folder)): path.read_text(errors="replace")
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
            and not any(part in str(path.relative_to(self.folder)) for part in skipped)
        }

    def close(self) -> None:
        project = self.environment["COMPOSE_PROJECT_NAME"]
        label = f"label=com.docker.compose.project={project}"
        ids = run("docker", "ps", "--all", "--quiet", "--filter", label).stdout.split()
        if ids:
            run("docker", "rm", "--force", *ids, check=False)
        networks = run("docker", "network", "ls", "--quiet", "--filter", label).stdout.split()
        if networks:
            run("docker", "network", "rm", *networks, check=False)
