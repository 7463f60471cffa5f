"""A stack of containers in a folder of its own, as on a target, or of this clone."""

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.stack import FIRST_PASSWORD, free_ports

from .images import ROOT, run

RUNNING = ("chat-backend", "inference", "frontend", "gateway")
ONE_SHOTS = ("prepare", "migrate")
FILES = ("docker-compose.yml", ".env.example", "VERSION", "deployment/docker", "nginx")


class Deployment:
    """What `docker compose` makes of a folder; leaving it removes containers and networks.

    It has what `tests.e2e.person.Person` asks of a stack: `url` and `on_stop`.
    """

    def __init__(self, folder: Path, project: str, release: str, **settings: str) -> None:
        self.folder = folder
        self.project = project
        self.port = free_ports(1)[0]
        self.scheme = "http"
        self.settings = {
            "COMPOSE_PROJECT_NAME": project,
            "ATOLL_RELEASE": release,
            "HTTP_PORT": str(self.port),
            "HTTP_BIND": "127.0.0.1",
            "ADMIN_PASSWORD": FIRST_PASSWORD,
            "REGISTRATION": "open",
            "CHAT_CONTEXT": "1024",
            "LOGIN_RATE_PER_MINUTE": "600",
            "LOGIN_BURST": "200",
            **settings,
        }
        self._on_stop: list[Callable[[], None]] = []

    @property
    def url(self) -> str:
        """Base address of the gateway."""
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def on_stop(self, action: Callable[[], None]) -> None:
        """Call `action` before the stack is removed."""
        self._on_stop.append(action)

    def install(self) -> "Deployment":
        """Put the files of a release and `.env` there, as an import does."""
        for name in FILES:
            source, target = ROOT / name, self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
            else:
                shutil.copy2(source, target)
        self.write_settings()
        return self

    def write_settings(self, **changed: str) -> None:
        """Write `.env` anew."""
        self.settings |= changed
        lines = [f"{name}={value}\n" for name, value in self.settings.items()]
        (self.folder / ".env").write_text("".join(lines))

    def use(self, *overrides: str) -> "Deployment":
        """Select override files of deployment/docker, as docs/containers.md says."""
        files = [self.folder / "docker-compose.yml"]
        files += [
            self.folder / "deployment" / "docker" / f"compose.{name}.yml" for name in overrides
        ]
        self.write_settings(COMPOSE_FILE=":".join(str(file) for file in files))
        return self

    def compose(self, *arguments: str, check: bool = True, timeout: float = 300) -> str:
        """Run `docker compose` in the folder."""
        return run("docker", "compose", *arguments, cwd=self.folder, check=check, timeout=timeout)

    def up(self, *arguments: str, check: bool = True) -> str:
        """Start and wait until every service is healthy."""
        wait = ("--wait", "--wait-timeout", "240")
        output = self.compose("up", "--detach", *wait, *arguments, check=False)
        if check and self.unhealthy():
            raise AssertionError(
                output + self.compose("ps", "-a") + self.compose("logs", "--tail=40")
            )
        return output

    def unhealthy(self) -> list[str]:
        """Services that should run and are not healthy."""
        return [name for name in RUNNING if self.health(name) != "healthy"]

    def container(self, service: str) -> str:
        """The id of a service's container, running or ended; empty when there is none."""
        return self.compose("ps", "--all", "--quiet", service).strip()

    def inspect(self, service: str) -> dict[str, Any]:
        """All that Docker knows of a service's container."""
        found: list[dict[str, Any]] = json.loads(run("docker", "inspect", self.container(service)))
        return found[0]

    def health(self, service: str) -> str:
        """`healthy`, `unhealthy`, `starting`, or how it ended."""
        if not self.container(service):
            return "absent"
        state = self.inspect(service)["State"]
        return str(state.get("Health", {}).get("Status") or state["Status"])

    def address(self, service: str, network: str = "services") -> str:
        """The address of a service on one of the networks."""
        networks = self.inspect(service)["NetworkSettings"]["Networks"]
        return str(networks[f"{self.project}_{network}"]["IPAddress"])

    def exec(self, service: str, *command: str, check: bool = True) -> str:
        """Run a command in a container."""
        return self.compose("exec", "-T", service, *command, check=check)

    def down(self) -> None:
        """Remove containers, networks and volumes; the folder stays."""
        while self._on_stop:
            self._on_stop.pop()()
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "20", check=False)

    def __enter__(self) -> "Deployment":
        return self

    def __exit__(self, *_: object) -> None:
        self.down()


class Clone(Deployment):
    """The stack of this clone: settings come from the process, files from the checkout."""

    def __init__(self, folder: Path, project: str, release: str, **settings: str) -> None:
        super().__init__(folder, project, release, **settings)
        self.settings |= {
            "DATA_DIR": str(folder / "data"),
            "MODELS_DIR": str(folder / "models"),
        }
        if "PIP_CERT" in os.environ:
            self.settings.setdefault("BUILD_CA", os.environ["PIP_CERT"])

    def compose(self, *arguments: str, check: bool = True, timeout: float = 300) -> str:
        """Run `docker compose` in the checkout."""
        command = ("docker", "compose", *arguments)
        return run(*command, check=check, timeout=timeout, more=self.settings)


def wait_until(what: str, check: Callable[[], bool], seconds: float) -> float:
    """Poll until `check` holds; the seconds it took."""
    started = time.monotonic()
    while not check():
        if time.monotonic() - started > seconds:
            raise AssertionError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.2)
    return time.monotonic() - started
