"""What a target has, lacks or runs out of."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import Signed
from .engine import Engine, Namespace
from .machine import Host, export, images, remove_images, run


def test_the_target_needs_only_what_the_guide_names(
    host: Host, old: Signed, new: Signed, tmp_path: Path
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    listed = run("dpkg", "-L", "coreutils").stdout.split()
    names = {Path(line).name for line in listed if "/bin/" in line}
    for name in names | {"bash", "tar", "openssl", "docker"}:
        found = shutil.which(name)
        if found:
            (tools / name).symlink_to(found)
    host.install(old.bundle, *old.proof, PATH=str(tools))
    host.install(new.bundle, PATH=str(tools))
    assert host.served() == new.release
    script = host.folder / "deployment" / "docker" / "rollback.sh"
    run("bash", script, "--yes", more=host.environment, PATH=str(tools))
    assert host.served() == old.release


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for an install folder and little more."""
    place = tmp_path / "small"
    place.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=40M", "tmpfs", place)
    yield place
    run("umount", "--lazy", place)


STAGES = {
    "loading": " load ",
    "backup": "atoll-chat backup",
    "preparing": "run --rm --no-deps -T prepare",
    "migrating": "run --rm --no-deps -T migrate --end",
    "starting": " up --detach",
    "asking": "atoll-chat selftest",
}


def test_a_disk_that_fills_up_at_any_stage_lets_the_old_release_serve(
    small_disk: Path, old: Signed, new: Signed, tmp_path: Path
) -> None:
    host = Host(small_disk / "host")
    filler, guard = small_disk / "filler", tmp_path / "guard"
    guard.mkdir()
    try:
        host.install(old.bundle, *old.proof)
        host.write_row("a row")
        for stage, command in STAGES.items():
            # A docker that fills the disk before it does what it is asked at that stage.
            (guard / "docker").write_text(
                f"""#!/bin/bash
                if [[ " $* --end" == *"{command}"* ]]; then
                    dd if=/dev/zero of={filler} bs=64K 2>/dev/null
                fi
                exec {shutil.which("docker")} "$@"
                """
            )
            (guard / "docker").chmod(0o755)
            if stage == "loading":
                remove_images(new.release)
            done = host.install(new.bundle, check=False, PATH=f"{guard}:{os.environ['PATH']}")
            assert filler.exists(), f"{stage} was not reached: {done.stdout}"
            filler.unlink()
            assert done.returncode == 1, stage
            assert "no space left on device" in done.stderr.lower(), stage
            assert (host.committed, host.served()) == (old.release, old.release), stage
        host.install(new.bundle)
        assert (host.committed, host.served()) == (new.release, new.release)
        assert "a row" in host.rows
    finally:
        host.close()


def test_too_little_space_is_said_before_anything_is_done(
    old: Signed, tmp_path: Path, small_disk: Path
) -> None:
    run("dd", "if=/dev/zero", f"of={small_disk}/filler", "bs=1M", "count=36")
    host = Host(small_disk / "host")
    done = host.install(old.bundle, *old.proof, check=False)
    assert done.returncode == 1
    assert "install space" in done.stdout and "make room" in done.stdout
    done = export(old.root, "--output", small_disk / "out", check=False)
    assert done.returncode == 1
    assert "make room" in done.stderr
    assert not (small_disk / "out").exists()


def test_an_engine_whose_disk_is_full(tmp_path: Path, host: Host, old: Signed) -> None:
    """Its preflight says so; and when the disk fills up while loading, nothing is started."""
    disk, place = tmp_path / "disk.img", tmp_path / "engine"
    place.mkdir()
    run("truncate", "--size", "64M", disk)
    run("mkfs.ext4", "-q", disk)
    run("mount", "-o", "loop", disk, place)
    try:
        with Namespace(tmp_path, route=False) as namespace, Engine(place, namespace) as engine:
            script = old.bundle / "import-docker-images.sh"
            command = namespace.command("bash", script, "--yes", "--start", *old.proof)
            environment = host.environment | engine.environment
            guard = tmp_path / "guard"
            guard.mkdir()
            real = shutil.which("docker")
            fill = f"dd if=/dev/zero of={place}/filler bs=64K 2>/dev/null"
            (guard / "docker").write_text(
                f'#!/bin/bash\n[[ "$1" != load ]] || {fill}\nexec {real} "$@"\n'
            )
            (guard / "docker").chmod(0o755)
            done = run(
                *command, check=False, more={**environment, "PATH": f"{guard}:{os.environ['PATH']}"}
            )
            assert done.returncode == 1
            assert "could not be loaded" in done.stderr and "make room" in done.stderr
            assert not (host.folder / "docker-compose.yml").exists()

            done = run(*command, check=False, more=environment)
            assert done.returncode == 1
            assert "FAIL  docker space" in done.stdout

            (place / "filler").unlink()
            run(*command, more=environment)
            assert images(host=engine.host)
    finally:
        run("umount", "--lazy", place)


def test_docker_can_be_installed_from_the_disk(tmp_path: Path) -> None:
    """The programs of this machine, packed as the static engine is, run from where they land."""
    packed = tmp_path / "kit"
    (packed / "docker").mkdir(parents=True)
    for name in (
        *("dockerd", "docker", "containerd", "containerd-shim-runc-v2", "runc"),
        *("docker-proxy", "ctr", "docker-init"),
    ):
        found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/libexec/docker")
        if found:
            shutil.copy(found, packed / "docker")
    run("tar", "-C", packed, "-czf", packed / "docker-26.1.5.tgz", "docker")
    shutil.rmtree(packed / "docker")
    plugin = Path("/usr/libexec/docker/cli-plugins/docker-compose")
    shutil.copy(plugin, packed / f"docker-compose-linux-{os.uname().machine}")
    installer = Path(__file__).parents[3] / "deployment" / "docker" / "install-docker-offline.sh"
    root = tmp_path / "root"
    done = run("bash", installer, packed, INSTALL_ROOT=str(root))
    assert "Docker version" in done.stdout
    programs = root / "usr" / "local" / "bin"
    assert "Docker Compose version" in run(programs / "docker-compose", "version").stdout
    unit = (root / "etc/systemd/system/docker.service").read_text()
    assert "ExecStart=/usr/local/bin/dockerd" in unit
    path = f"{programs}:{os.environ['PATH']}"
    with (
        Namespace(tmp_path, route=False) as namespace,
        Engine(tmp_path / "engine", namespace, dockerd=programs / "dockerd", PATH=path) as engine,
    ):
        version = run(
            "docker", "version", "--format", "{{.Server.Version}}", more=engine.environment
        )
        assert version.stdout.strip()
    damaged = packed / "docker-26.1.5.tgz"
    damaged.write_bytes(damaged.read_bytes()[:100000])
    done = run("bash", installer, packed, check=False, INSTALL_ROOT=str(root))
    assert done.returncode == 1
    assert "cannot be unpacked" in done.stderr


def test_a_bundle_can_bring_docker_and_models(old: Signed, tmp_path: Path) -> None:
    kit, models = tmp_path / "kit", tmp_path / "models"
    kit.mkdir()
    (kit / "docker-26.1.5.tgz").write_bytes(b"engine")
    (kit / "docker-compose-linux-x86_64").write_bytes(b"compose")
    (models / "chat" / "small").mkdir(parents=True)
    weights = os.urandom(700_000)
    (models / "chat" / "small" / "model.gguf").write_bytes(weights)
    place = tmp_path / "offline-packages"
    export(
        *(old.root, "--with-docker", kit, "--with-models", models, "--split", "256K"),
        *("--services", "gateway,frontend,chat-backend,inference", "--output", place),
    )
    assert (place / "docker" / "install-docker-offline.sh").exists()
    assert (place / "models" / "chat" / "small" / "model.gguf.part01").exists()
    host = Host(tmp_path / "host")
    try:
        host.install(place, "--allow-unsigned")
        assert (host.folder / "models/chat/small/model.gguf").read_bytes() == weights
    finally:
        host.close()
