"""A delta carries only what its base lacks, and becomes whole images again or is refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import MakeRelease, Signed
from .engine import Engine, Namespace
from .machine import Host, images, remove_images, run


@pytest.fixture(scope="module")
def delta(make_release: MakeRelease, old: Signed) -> Signed:
    return make_release("0.0.6", "", "--since", old.bundle)


def image_bytes(bundle: Path) -> int:
    return sum(path.stat().st_size for path in bundle.glob("*-image*.tar"))


def layers(bundle: Path) -> list[str]:
    return [
        line
        for line in (bundle / "images-info.txt").read_text().splitlines()
        if line.startswith("layer\t")
    ]


def test_a_delta_is_small_and_becomes_whole(host: Host, old: Signed, delta: Signed) -> None:
    assert image_bytes(delta.bundle) < image_bytes(old.bundle) / 20
    host.install(old.bundle, *old.proof)
    remove_images(delta.release)
    done = host.install(delta.bundle)
    assert f"release {old.release} is here" in done.stdout
    assert (host.committed, host.served()) == (delta.release, delta.release)
    for service in ("gateway", "chat-backend"):
        name = f"atoll/{service}:{delta.release}"
        found = run(
            *(
                "docker",
                "image",
                "inspect",
                "--format",
                "{{range .RootFS.Layers}}{{println .}}{{end}}",
            ),
            name,
        ).stdout.split()
        assert [f"layer\t{service}\t{layer}" for layer in found] == [
            line for line in layers(delta.bundle) if line.split("\t")[1] == service
        ]


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Engine]:
    with (
        Namespace(tmp_path, route=False) as namespace,
        Engine(tmp_path / "engine", namespace) as engine,
    ):
        yield engine


def test_a_host_that_lacks_the_base_refuses(
    bare: Engine, host: Host, old: Signed, delta: Signed
) -> None:
    script = delta.bundle / "import-docker-images.sh"
    command = bare.namespace.command("bash", script, "--yes", "--start", *delta.proof)
    environment = host.environment | bare.environment
    done = run(*command, check=False, more=environment)
    assert done.returncode == 1
    assert "this is a delta" in done.stdout
    assert images(host=bare.host) == set()

    done = run(*command, "--base", old.bundle, more=environment)
    assert f"release {delta.release} serves" in done.stdout


def test_a_base_whose_layers_are_not_what_it_lists_is_refused(
    bare: Engine, host: Host, old: Signed, delta: Signed, tmp_path: Path
) -> None:
    forged = tmp_path / "forged"
    run("cp", "-R", old.bundle, forged)
    for tar in forged.glob("*-image.tar"):
        content = bytearray(tar.read_bytes())
        content[len(content) // 2] ^= 1
        tar.write_bytes(content)
    script = delta.bundle / "import-docker-images.sh"
    command = bare.namespace.command(
        *("bash", script, "--yes", "--start", *delta.proof, "--base", forged)
    )
    done = run(*command, check=False, more=host.environment | bare.environment)
    assert done.returncode == 1
    assert "could not be had" in done.stderr
    assert images(host=bare.host) == set()
