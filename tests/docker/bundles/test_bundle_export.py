"""What an export writes, refuses and says."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from .conftest import Signed
from .machine import SERVICES, Host, checkout, export, images, remove_images, run


def test_each_tar_loads_by_itself(old: Signed) -> None:
    remove_images(old.release)
    for name in ("backend", "inference", "frontend", "nginx"):
        run("docker", "load", "--input", old.bundle / f"{name}-image.tar")
    assert {f"atoll/{service}:{old.release}" for service in SERVICES} <= images()


def test_the_bundle_lists_its_images_in_both_forms(old: Signed) -> None:
    manifest = json.loads((old.bundle / "manifest.json").read_text())
    lines = [line.split("\t") for line in (old.bundle / "images-info.txt").read_text().splitlines()]
    assert [image["service"] for image in manifest["images"]] == list(SERVICES)
    for image in manifest["images"]:
        assert ["layer", image["service"], image["layers"][0]] in lines
        layers = run(
            *("docker", "image", "inspect", "--format", "{{json .RootFS.Layers}}", image["image"])
        ).stdout
        assert json.loads(layers) == image["layers"]


def test_every_image_has_a_list_of_packages(old: Signed) -> None:
    for service in SERVICES:
        document = json.loads((old.bundle / "sbom" / f"{service}.spdx.json").read_text())
        assert document["spdxVersion"].startswith("SPDX-2")
        assert "packages" in document


def test_the_readme_speaks_both_languages(old: Signed) -> None:
    text = (old.bundle / "README.txt").read_text()
    assert "import-docker-images.sh --public-key" in text
    assert "导入镜像" in text


def test_without_a_key_it_warns(old: Signed, tmp_path: Path) -> None:
    done = export(old.root, "--services", "gateway", "--output", tmp_path / "out")
    assert "without --sign" in done.stderr
    assert "targets must have it already" in done.stderr
    assert not (tmp_path / "out" / "checksums.sha256.sig").exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("docs/.env", "SECRET_KEY=x"),
        ("docs/conversation.db", "rows"),
        ("docs/server.log", "lines"),
        ("nginx/tls.key", "key"),
        ("docs/note.md", "-----BEGIN EC PRIVATE KEY-----\nMHc\n"),
    ],
)
def test_secrets_do_not_travel(old: Signed, tmp_path: Path, name: str, content: str) -> None:
    root = checkout(tmp_path / "checkout", old.release)
    path = root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    done = export(root, "--services", "gateway", check=False)
    assert done.returncode == 1
    assert name in done.stderr
    assert not list((root / "deployment" / "docker").glob("offline-packages*/"))


def test_compose_may_not_name_an_image_that_no_bundle_holds(old: Signed, tmp_path: Path) -> None:
    root = checkout(tmp_path / "checkout", old.release)
    with (root / "docker-compose.yml").open("a") as file:
        file.write("\n  cache:\n    image: example/cache:1\n")
    done = export(root, check=False)
    assert done.returncode == 1
    assert "example/cache:1, which no bundle would hold" in done.stderr


def test_volumes_join_to_the_same_tar(old: Signed, tmp_path: Path) -> None:
    place = tmp_path / "out"
    export(old.root, "--services", "gateway", "--split", "256K", "--output", place)
    parts = sorted(place.glob("nginx-image.tar.part*"))
    assert len(parts) > 2
    assert all(part.stat().st_size <= 256 * 1024 for part in parts)
    listed = subprocess.run(
        ["tar", "-t"],
        check=True,
        input=b"".join(part.read_bytes() for part in parts),
        capture_output=True,
    )
    assert b"manifest.json" in listed.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--split", "5G"), "does not fit a FAT disk"),
        (("--services", "database"), "there is no service database"),
        (("--sign", "/nowhere.pem"), "there is no key"),
        (("--platform", "windows/amd64"), "--platform must be"),
        (("--with-docker", "/nowhere"), "there is no folder /nowhere"),
        (("--with-models", "/nowhere"), "there is no folder /nowhere"),
        (("--output",), "--output needs a value"),
        (("--since", "/nowhere"), "is no bundle"),
        (("--since", "/nowhere", "--compress"), "exclude each other"),
        (("--with-cache",), "cannot write a cache folder"),
        (("--fast",), "there is no option --fast"),
    ],
)
def test_mistakes_are_said_before_any_work(
    old: Signed, options: tuple[str, ...], message: str
) -> None:
    done = export(old.root, *options, check=False)
    assert done.returncode in (1, 2)
    assert message in done.stderr


@pytest.mark.skipif(shutil.which("zstd") is None, reason="zstd is not installed (apt: zstd)")
def test_compressed_tars_load_as_they_are(old: Signed, tmp_path: Path, host: Host) -> None:
    place = tmp_path / "out"
    export(old.root, "--sign", old.key, "--compress", "--output", place)
    assert (place / "backend-image.tar.zst").exists()
    remove_images(old.release)
    host.install(place, *old.proof)
    assert host.served() == old.release
