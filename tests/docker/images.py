"""The images of this checkout, built once for all tests of this folder."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENGINE = Path(__file__).with_name("engine.sh")
SERVICES = ("gateway", "frontend", "chat-backend", "inference")
BASE = os.environ.get("BASE_IMAGE", "debian:bookworm-slim")
BUILD_SECONDS = 3000


def run(
    *command: str | Path,
    cwd: Path = ROOT,
    check: bool = True,
    timeout: float = 600,
    more: Mapping[str, str] | None = None,
) -> str:
    """What a command printed; fails with all of it when the command does.

    Args:
        more: environment variables besides those of this process.
    """
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=os.environ | dict(more or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}"
    return done.stdout


def ensure_engine() -> None:
    """A Docker engine that answers, with the base image."""
    run("bash", ENGINE)


def build(release: str) -> None:
    """Build every image, as `docker compose build` in a clone does.

    What pip and npm of this machine need to reach their indexes, a build needs as well.
    """
    more = {"ATOLL_RELEASE": release, "COMPOSE_PROJECT_NAME": f"atoll-build-{release}"}
    certificates = os.environ.get("PIP_CERT")
    if certificates and "BUILD_CA" not in os.environ:
        more["BUILD_CA"] = certificates
    run("docker", "compose", "build", "--quiet", timeout=BUILD_SECONDS, more=more)


def inspect(image: str, template: str) -> str:
    """A field of an image, as `docker image inspect --format` prints it."""
    return run("docker", "image", "inspect", "--format", template, image).strip()


def size(image: str) -> int:
    """Bytes of an image, all layers together."""
    return int(inspect(image, "{{.Size}}"))
