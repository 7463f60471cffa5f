"""The whole stack with its starter models, from the disk to an answer in a browser."""

import os
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .alterations import KINDS, altered
from .conftest import Signed
from .engine import Engine, Namespace
from .machine import ROOT, SERVICES, Host, remove_images, run
from .test_bundle_kills import kill, start

ALTERATIONS = int(os.environ.get("BUNDLE_FULL_ALTERATIONS", "3"))
KILLS = int(os.environ.get("BUNDLE_FULL_KILLS", "1"))
SEED = int(os.environ.get("BUNDLE_SEED", "20261128"))
READY = os.environ.get("BUNDLE_FULL_DIR", "")


@pytest.fixture(scope="module")
def full(release: str, key: Path, tmp_path_factory: pytest.TempPathFactory) -> Signed:
    """The real images and the starter models. BUNDLE_FULL_DIR takes one exported before."""
    if READY:
        return Signed(release, ROOT, Path(READY), Path(os.environ["BUNDLE_FULL_KEY"]))
    place = tmp_path_factory.mktemp("full")
    models = place / "models"
    models.mkdir()
    run(
        *("docker", "run", "--rm", "--network", "none", "--user", "0:0"),
        *("--volume", f"{models}:/models", f"atoll/starter-models:{release}"),
    )
    run(
        *("bash", ROOT / "deployment" / "docker" / "export-docker-images.sh", "--no-build"),
        *("--sign", key, "--with-models", models, "--output", place / "offline-packages"),
        timeout=1200,
        ATOLL_RELEASE=release,
    )
    return Signed(release, ROOT, place / "offline-packages", key)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("engine")
    with Namespace(folder, route=True) as namespace, Engine(folder / "e", namespace) as engine:
        yield engine


def install(watched: Engine, host: Host, full: Signed, *, silent: bool = False) -> float:
    """Import, start and visit; the seconds until the import was done."""
    began = time.monotonic()
    script = full.bundle / "import-docker-images.sh"
    command = watched.namespace.command("bash", script, "--yes", "--start", *full.proof)
    environment = host.environment | watched.environment | {"ATOLL_START_TIMEOUT": "300"}
    done = run(*command, timeout=1200, more=environment)
    assert "answer:" in done.stdout
    seconds = time.monotonic() - began
    if silent:
        left = watched.namespace.packets()
        assert left == [], f"while importing: {left}"
    visit = watched.namespace.command(
        *(sys.executable, "-m", "tests.docker.bundles.visit"),
        *(f"http://127.0.0.1:{host.port}", host.folder / "data" / "first-admin-password"),
    )
    assert "answered by the SDK and in the browser" in run(*visit, cwd=ROOT).stdout
    return seconds


def close(watched: Engine, host: Host) -> None:
    run("docker", "compose", "down", cwd=host.folder, more=watched.environment)


def test_from_the_disk_to_an_answer_without_a_packet(
    watched: Engine, full: Signed, tmp_path: Path
) -> None:
    first, second = Host(tmp_path / "first", model=False), Host(tmp_path / "second", model=False)
    seconds = install(watched, first, full, silent=True)
    left = watched.namespace.packets()
    assert left == [], f"while visiting: {left}"
    # The control: what is fetched on purpose is seen.
    run(*watched.namespace.command("curl", "-m", "5", "http://example.com/"), check=False)
    asked = watched.namespace.packets()
    assert any("example" in packet.get("question", "") for packet in asked), asked
    close(watched, first)

    # Again without a route, and with the images there: nothing waits for a network.
    run("ip", "-n", watched.namespace.name, "link", "set", "uplink", "down")
    without = install(watched, second, full)
    print(f"import {seconds:.0f} s with loading, {without:.0f} s without a route")
    assert without < seconds
    assert len(watched.namespace.packets()) == len(asked)
    close(watched, second)


def test_alterations_of_the_full_bundle_are_refused(full: Signed) -> None:
    chance = random.Random(SEED)
    kit = full.bundle.with_name(full.bundle.name + ".trust-kit")
    kinds = [kind for kind in KINDS if kind.__name__ not in ("reordered_parts", "swap")]
    for number in range(ALTERATIONS):
        # Every second one is in the bundle's own scripts.
        kind = kinds[number // 2 % len(kinds)] if number % 2 else KINDS[-2]
        with altered(full.bundle, kind, chance) as what:
            done = run(
                *("bash", kit / "verify-bundle.sh", "--public-key"),
                *(kit / "atoll-release-key.pub", full.bundle),
                check=False,
            )
            assert done.returncode == 1 and "REFUSED" in done.stderr, what


def test_a_change_in_the_chat_backend_is_a_small_delta(full: Signed, tmp_path: Path) -> None:
    """The sources with one more line in the chat backend, built and exported on the full bundle."""
    copy, release = tmp_path / "copy", f"delta-{os.getpid()}"
    copy.mkdir()
    run("bash", "-c", 'git ls-files -z | tar --null -T - -cf - | tar -C "$0" -xf -', copy, cwd=ROOT)
    with (copy / "services/chat-backend/atoll_chat/app.py").open("a") as file:
        file.write("\nA_CHANGE = 1\n")
    settings = {"ATOLL_RELEASE": release}
    if "PIP_CERT" in os.environ:
        settings["BUILD_CA"] = os.environ["PIP_CERT"]
    try:
        build = ("docker", "compose", "build", "--quiet", *SERVICES)
        run(*build, cwd=copy, timeout=1800, more=settings)
        place = tmp_path / "delta"
        run(
            *("bash", copy / "deployment" / "docker" / "export-docker-images.sh", "--no-build"),
            *("--sign", full.key, "--since", full.bundle, "--output", place),
            more=settings,
        )
        share = size(place) / size(full.bundle)
        print(f"delta {size(place)} bytes, {share:.2%} of the full bundle")
        assert share <= 0.05
    finally:
        remove_images(release)


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_the_full_import_can_be_killed(watched: Engine, full: Signed, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    script = full.bundle / "import-docker-images.sh"
    command = watched.namespace.command("bash", script, "--yes", "--start", *full.proof)
    for number in range(KILLS):
        names = run("docker", "image", "ls", "--quiet", more=watched.environment).stdout.split()
        if names:
            run("docker", "image", "rm", "--force", *set(names), more=watched.environment)
        host = Host(tmp_path / f"host-{number}", model=False)
        process = start(*command, more=host.environment | watched.environment)
        time.sleep(chance.uniform(5, 60))
        kill(process, whole_group=bool(number % 2))
        install(watched, host, full)
        assert host.committed == full.release
        close(watched, host)
