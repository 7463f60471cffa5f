"""From the disk to the answer on a machine whose every packet is seen: there are none."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Signed
from .engine import Engine, Namespace
from .machine import Host, run


@pytest.fixture(params=[True, False], ids=["black-hole", "no-route"])
def watched(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with (
        Namespace(tmp_path, route=request.param) as namespace,
        Engine(tmp_path / "engine", namespace) as engine,
    ):
        yield engine


def fetch(watched: Engine, url: str, *options: str) -> str:
    command = watched.namespace.command("curl", "--silent", "--max-time", "5", *options, url)
    return run(*command, check=False).stdout.strip()


def test_import_and_answer_without_a_packet(watched: Engine, host: Host, old: Signed) -> None:
    began = time.monotonic()
    script = old.bundle / "import-docker-images.sh"
    command = watched.namespace.command("bash", script, "--yes", "--start", *old.proof)
    done = run(*command, more=host.environment | watched.environment)
    assert "loading backend-image.tar" in done.stdout
    assert fetch(watched, f"http://127.0.0.1:{host.port}/release") == old.release
    assert time.monotonic() - began < 60
    if not watched.namespace.route:
        return
    assert watched.namespace.packets() == []
    # The control: one URL fetched on purpose is seen, by the machine and by a container.
    fetch(watched, "http://example.com/")
    asked = watched.namespace.packets()
    assert any("example" in packet.get("question", "") for packet in asked), asked
    run(
        *("docker", "run", "--rm", f"atoll/gateway:{old.release}"),
        *("sh", "-c", "busybox nc -w 3 192.0.2.1 80"),
        check=False,
        more=watched.environment,
    )
    assert any(packet.get("to") == "192.0.2.1" for packet in watched.namespace.packets())
