"""No change of a bundle gets past the verifier, and none reaches Docker."""

import os
import random
import shutil
from pathlib import Path

import pytest

from .alterations import KINDS, Alteration, altered
from .conftest import Signed
from .machine import Host, export, images, remove_images, run

COUNT = int(os.environ.get("BUNDLE_ALTERATIONS", "50"))
SEED = int(os.environ.get("BUNDLE_SEED", "20261128"))
# Another bundle of the same format, such as one of the real images, and its public key.
BUNDLE = os.environ.get("BUNDLE_DIR", "")
PUBLIC_KEY = os.environ.get("BUNDLE_PUBLIC_KEY", "")


@pytest.fixture(scope="module")
def bundle(old: Signed, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A bundle in volumes, so that parts can change places, and its trust kit."""
    if BUNDLE:
        kit = tmp_path_factory.mktemp("kit")
        shutil.copy(old.bundle / "verify-bundle.sh", kit)
        shutil.copy(PUBLIC_KEY, kit / "atoll-release-key.pub")
        return Path(BUNDLE), kit
    place = tmp_path_factory.mktemp("small") / "offline-packages"
    services = ("--services", "gateway,frontend")
    export(old.root, "--sign", old.key, *services, "--split", "512K", "--output", place)
    return place, place.with_name("offline-packages.trust-kit")


@pytest.fixture
def guarded_docker(tmp_path: Path) -> tuple[Path, Path]:
    """A `docker` that notes what it is asked before it asks the real one."""
    folder, log = tmp_path / "guard", tmp_path / "docker.log"
    folder.mkdir()
    script = folder / "docker"
    script.write_text(f'#!/bin/sh\necho "$@" >>{log}\nexec {shutil.which("docker")} "$@"\n')
    script.chmod(0o755)
    log.touch()
    return folder, log


def test_a_bundle_as_exported_verifies(bundle: tuple[Path, Path]) -> None:
    place, kit = bundle
    done = run(
        "bash", kit / "verify-bundle.sh", "--public-key", kit / "atoll-release-key.pub", place
    )
    assert "exactly what was exported and signed" in done.stdout


def test_every_alteration_is_refused_before_docker_is_touched(
    bundle: tuple[Path, Path], guarded_docker: tuple[Path, Path], host: Host, old: Signed
) -> None:
    place, kit = bundle
    guard, log = guarded_docker
    proof = ("--public-key", kit / "atoll-release-key.pub")
    chance = random.Random(SEED)
    remove_images(old.release)
    kinds = [kind for kind in KINDS if kind.__name__ != "reordered_parts" or _has_parts(place)]
    accepted: list[str] = []
    for number in range(COUNT):
        kind = kinds[number % len(kinds)]
        with altered(place, kind, chance) as what:
            # The verifier of the trust kit, then, in turn, the whole import.
            done = run("bash", kit / "verify-bundle.sh", *proof, place, check=False)
            if done.returncode != 1 or "REFUSED" not in done.stderr:
                accepted.append(f"{kind.__name__}: {what}: {done.stdout}{done.stderr}")
            # An import script that was itself altered is what the trust kit is for.
            if number % 5 == 0 and kind.__name__ != "own_script" and ".sh" not in what:
                done = host.install(
                    place, *proof, check=False, PATH=f"{guard}:{os.environ['PATH']}"
                )
                if done.returncode == 0:
                    accepted.append(f"import, {kind.__name__}: {what}: {done.stdout}")
    assert accepted == []
    asked = [line.split()[0] for line in log.read_text().splitlines()]
    assert set(asked) <= {"version", "info", "compose", "image"}, log.read_text()
    changing = [line for line in log.read_text().splitlines() if "load" in line or " up" in line]
    assert changing == []
    assert not any(old.release in name for name in images())
    assert host.committed == ""
    test_a_bundle_as_exported_verifies(bundle)


def _has_parts(place: Path) -> bool:
    return any(place.glob("*.part01"))


@pytest.mark.parametrize("kind", [k for k in KINDS if k.__name__ not in ("own_script", "old_list")])
def test_damage_is_found_without_a_key_too(bundle: tuple[Path, Path], kind: Alteration) -> None:
    place, kit = bundle
    if kind.__name__ == "reordered_parts" and not _has_parts(place):
        pytest.skip("this bundle has no volumes")
    chance = random.Random(SEED)
    for _ in range(5):
        with altered(place, kind, chance) as what:
            # Without a key the signature says nothing.
            if "checksums.sha256.sig" in what:
                continue
            done = run("bash", kit / "verify-bundle.sh", "--allow-unsigned", place, check=False)
            assert done.returncode == 1, what


def test_a_verifier_needs_to_be_told_what_proves_the_origin(bundle: tuple[Path, Path]) -> None:
    place, kit = bundle
    assert run("bash", kit / "verify-bundle.sh", place, check=False).returncode == 2


def test_another_key_is_refused(bundle: tuple[Path, Path], tmp_path: Path) -> None:
    place, kit = bundle
    run("bash", place / "stack/deployment/docker/make-signing-key.sh", tmp_path / "other.pem")
    done = run(
        *("bash", kit / "verify-bundle.sh", "--public-key", tmp_path / "other.pem.pub", place),
        check=False,
    )
    assert done.returncode == 1
    assert "signed by another key" in done.stderr


def test_plain_sha256sum_accepts_the_list(bundle: tuple[Path, Path]) -> None:
    place, _ = bundle
    run("bash", "-c", 'cd "$0" && sha256sum --check --quiet --strict checksums.sha256', place)


def test_the_trust_kit_fits_on_anything(bundle: tuple[Path, Path]) -> None:
    _, kit = bundle
    assert sum(path.stat().st_size for path in kit.iterdir()) <= 20_000
