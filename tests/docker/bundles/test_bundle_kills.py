"""SIGKILL at any point of an import or export, then the same command again: the same end."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from .conftest import Signed
from .machine import Host, export, remove_images, run

KILLS = int(os.environ.get("BUNDLE_KILLS", "5"))
SEED = int(os.environ.get("BUNDLE_SEED", "20261128"))


def start(*command: str | Path, more: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """A command in a process group of its own."""
    return subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, **(more or {})},
    )


def kill(process: subprocess.Popen[bytes], whole_group: bool) -> bool:
    """Whether it was still running."""
    if process.poll() is not None:
        return False
    if whole_group:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        # The script alone: the docker command it waits for lives on.
        process.kill()
    process.wait()
    return True


def test_import_killed_at_any_point_comes_to_the_same_end(
    host: Host, old: Signed, new: Signed
) -> None:
    chance = random.Random(SEED)
    host.install(old.bundle, *old.proof)
    began = time.monotonic()
    remove_images(new.release)
    host.install(new.bundle)
    duration = time.monotonic() - began
    wanted = host.pictures()
    killed, places = 0, []
    for number in range(KILLS):
        host.rollback()
        assert host.served(5) == old.release
        remove_images(new.release)
        row = f"row {number}"
        host.write_row(row)
        journal = host.folder / ".atoll" / "journal"
        journal.write_text("")
        process = start(
            *("bash", new.bundle / "import-docker-images.sh", "--yes", "--start"),
            more=host.environment,
        )
        time.sleep(chance.uniform(number, number + 1) / KILLS * duration)
        killed += kill(process, whole_group=bool(number % 2))
        steps = journal.read_text().splitlines()
        place = steps[-1].split("\t")[1:] if steps else ["", ""]
        places.append(" ".join(place))
        if not any(line.split("\t")[1] in ("up", "selftest", "commit") for line in steps):
            assert host.served() == old.release, place
        done = host.install(new.bundle)
        assert (host.committed, host.served()) == (new.release, new.release), done.stdout
        assert host.pictures() == wanted, place
        assert row in host.rows
        assert running_images(host) == {f"atoll/{name}:{new.release}" for name in SERVING}
    print(f"{killed} of {KILLS} killed while running, at: {sorted(set(places))}")
    assert killed >= KILLS // 2


SERVING = ("gateway", "frontend", "chat-backend", "inference")


def running_images(host: Host) -> set[str]:
    label = f"label=com.docker.compose.project={host.environment['COMPOSE_PROJECT_NAME']}"
    return set(run("docker", "ps", "--format", "{{.Image}}", "--filter", label).stdout.split())


def test_a_killed_upgrade_to_another_release_is_undone_first(
    host: Host, old: Signed, new: Signed, tmp_path: Path
) -> None:
    host.install(old.bundle, *old.proof)
    process = start(
        *("bash", new.bundle / "import-docker-images.sh", "--yes", "--start"), more=host.environment
    )
    journal = host.folder / ".atoll" / "journal"
    while "up\tbegun" not in journal.read_text().split("commit", 1)[-1]:
        assert process.poll() is None
        time.sleep(0.02)
    kill(process, whole_group=True)
    done = host.install(old.bundle)
    assert f"an upgrade to {new.release} was interrupted; undoing it first" in done.stdout
    assert (host.committed, host.served()) == (old.release, old.release)


def test_what_killed_commands_left_is_no_obstacle(host: Host, old: Signed, new: Signed) -> None:
    """`compose run` and a replacement, killed between making a container and starting it."""
    host.install(old.bundle, *old.proof)
    project = host.environment["COMPOSE_PROJECT_NAME"]
    listed = ("docker", "compose", "ps", "--all", "--quiet", "--no-trunc")
    [gateway] = run(*listed, "gateway", cwd=host.folder).stdout.split()
    left = {
        leave(project, "prepare", oneoff="True", image=f"atoll/chat-backend:{old.release}"),
        leave(
            *(project, "gateway"),
            oneoff="False",
            image=f"atoll/gateway:{new.release}",
            name=f"{gateway[:12]}_{project}-gateway-1",
        ),
    }
    assert left <= set(run(*listed, cwd=host.folder).stdout.split())
    host.install(new.bundle)
    assert (host.committed, host.served()) == (new.release, new.release)
    assert not left & set(run(*listed, cwd=host.folder).stdout.split())


def leave(project: str, service: str, *, oneoff: str, image: str, name: str = "") -> str:
    """Make a container as Compose labels its own, and never start it; its id."""
    labels = {
        "project": project,
        "service": service,
        "oneoff": oneoff,
        "container-number": "1",
        # Compose sees only containers that have a hash of their configuration.
        "config-hash": "0",
    }
    made = [f"--label=com.docker.compose.{key}={value}" for key, value in labels.items()]
    named = ["--name", name] if name else []
    return run("docker", "create", *made, *named, image).stdout.strip()


def test_two_imports_at_once(host: Host, old: Signed) -> None:
    first = start(
        *("bash", old.bundle / "import-docker-images.sh", "--yes", "--start", *old.proof),
        more=host.environment,
    )
    while not (host.folder / ".atoll" / "lock").exists():
        time.sleep(0.01)
    second = host.install(old.bundle, *old.proof, check=False)
    assert second.returncode == 1
    assert "wait for it" in second.stderr
    assert first.wait(timeout=120) == 0
    assert host.served() == old.release


def test_export_killed_at_any_point_leaves_nothing_that_looks_like_a_bundle(
    old: Signed, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    place = tmp_path / "offline-packages"
    verify = old.bundle / "verify-bundle.sh"
    script = old.root / "deployment" / "docker" / "export-docker-images.sh"
    command = ("bash", script, "--no-build", "--sign", old.key, "--output", place)
    began = time.monotonic()
    export(old.root, "--sign", old.key, "--output", place)
    duration = time.monotonic() - began
    killed = 0
    for number in range(KILLS):
        if chance.random() < 0.5:
            run("rm", "-rf", place)
        process = start(*command)
        time.sleep(chance.uniform(number, number + 1) / KILLS * duration)
        killed += kill(process, whole_group=bool(number % 2))
        if place.exists():
            run("bash", verify, *old.proof, place)
        for leftover in tmp_path.glob("offline-packages.*"):
            if leftover.is_dir() and leftover.suffix != ".trust-kit":
                assert leftover.suffix in (".partial", ".replaced")
        export(old.root, "--sign", old.key, "--output", place)
        run("bash", verify, *old.proof, place)
        assert not list(tmp_path.glob("offline-packages.partial"))
        assert not list(tmp_path.glob("offline-packages.replaced"))
    assert killed >= KILLS // 2
