"""From the model hub to an engine: fetch, convert, lock, verify, load.

The checkpoints have the layout of the production ones and random weights; the small ones are of
full size here, and `python -m benchmarks.production.run` does the same with all seven.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from fake_hub import FakeHub
from production_layouts import DETECTORS, LAYOUTS, Layout, build_all
from safetensors import safe_open

from atoll_inference.catalog.checkpoint import Checkpoint
from atoll_inference.catalog.discovery import Discovery
from atoll_inference.catalog.hub import Hub
from atoll_inference.catalog.lock import MODELS_LOCK_NAME, read_models_lock
from atoll_inference.catalog.production import ProductionFetch
from atoll_inference.catalog.slots import Production, find_catalog, read_catalog
from atoll_inference.catalog.store import FetchFailed
from atoll_inference.catalog.verify import verify
from atoll_inference.cli import main
from atoll_inference.convert import BadSource, pickled
from atoll_inference.engines.base import LoadFailed
from atoll_inference.engines.factory import SERVED, build_engine
from atoll_inference.engines.runtime import Runtime

BY_SLOT = {layout.slot: layout for layout in LAYOUTS}
FULL_SIZE = ("audio_denoising", "video_enhancement")
LARGE = 10**9
CATALOG = read_catalog(find_catalog(Path("/nowhere"), None))


def entry_of(slot: str) -> Production:
    entry = CATALOG.slots[slot].production
    assert entry is not None
    return entry


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The seven as folders `owner/name`."""
    root = tmp_path_factory.mktemp("published")
    build_all(root, slots=FULL_SIZE)
    build_all(root, tiny=True, slots=BY_SLOT.keys() - set(FULL_SIZE))
    yield root
    shutil.rmtree(root)  # a fifth of a gigabyte


@pytest.fixture
def hub(published: Path) -> Iterator[FakeHub]:
    with FakeHub() as fake:
        for layout in LAYOUTS:
            fake.publish(layout.repo, published / layout.repo)
        yield fake


@pytest.fixture(scope="module")
def fetched(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A models folder after `atoll-inference models fetch`, in a process of its own."""
    models = tmp_path_factory.mktemp("fetched") / "models"
    with FakeHub() as fake:
        for layout in LAYOUTS:
            fake.publish(layout.repo, published / layout.repo)
        done = command(models, fake, "fetch", *BY_SLOT)
        assert done.returncode == 0, done.stderr
        # Only what is wanted was asked for: no other framework's weights, and a pickle only where
        # there is nothing else.
        asked = {path.rsplit("/", 1)[-1] for path in fake.requests if "/resolve/" in path}
        assert not asked & {"tf_model.h5", "flax_model.msgpack", "training_args.bin", "README.md"}
        pickles = sum("/resolve/" in p and p.endswith("pytorch_model.bin") for p in fake.requests)
        assert pickles == 4
    yield models
    shutil.rmtree(models)


def command(models: Path, hub: FakeHub, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`atoll-inference models …` with the hub's address; the service's offline switch is on."""
    return subprocess.run(
        [sys.executable, "-m", "atoll_inference", "models", *arguments],
        env={
            **os.environ,
            "MODELS_DIR": str(models),
            "HF_ENDPOINT": hub.url,
            "HF_HUB_OFFLINE": "1",
            "HF_HOME": str(models.parent / "hf"),
        },
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def quiet(_: str) -> None:
    pass


def checkpoints(models: Path) -> dict[str, Checkpoint]:
    return {c.slot: c for c in Discovery(models, SERVED).scan()}


def test_all_seven_arrive_as_safetensors(fetched: Path) -> None:
    found = checkpoints(fetched)
    assert set(found) == set(BY_SLOT)
    for slot, checkpoint in found.items():
        assert checkpoint.path == fetched / slot / BY_SLOT[slot].name
        assert checkpoint.format == "safetensors"
        names = {file.suffix for file in checkpoint.path.iterdir()}
        assert not names & {".bin", ".ckpt", ".h5", ".msgpack"}
        if slot in DETECTORS:
            assert f"finetune {slot}" in str(checkpoint.problem)
        else:
            assert checkpoint.problem is None
    assert found["emotion_detection"].labels[0] == "anger"
    assert found["emotion_detection"].max_length == 512
    assert found["text_summarization"].max_length == 1024
    assert found["speech_recognition"].sample_rate == 16000
    assert found["audio_denoising"].sample_rate == 8000
    assert found["video_enhancement"].parameters == BY_SLOT["video_enhancement"].parameters
    assert found["audio_denoising"].licence == "apache-2.0"


def test_the_lock_says_what_came_and_what_was_made_of_it(fetched: Path, published: Path) -> None:
    lock = read_models_lock(fetched)
    assert set(lock.checkpoints) == set(BY_SLOT)
    denoise = lock.checkpoints["audio_denoising"]
    assert (denoise.id, denoise.converted) == ("speechbrain/sepformer-wham", "sepformer")
    assert [file.name for file in denoise.hub_files] == [
        "decoder.ckpt",
        "encoder.ckpt",
        "hyperparams.yaml",
        "masknet.ckpt",
    ]
    assert {"config.json", "model.safetensors"} <= {file.name for file in denoise.files}
    speech = lock.checkpoints["speech_recognition"]
    assert (speech.converted, speech.files) == (None, speech.hub_files)
    assert len(speech.revision) == 40
    assert [file.problem for file in verify(fetched) if file.problem] == []
    assert not list((fetched / ".cache").glob("hub/*"))


def test_tensors_are_what_they_were_and_shared_ones_are_kept_once(
    fetched: Path, published: Path
) -> None:
    layout = BY_SLOT["text_summarization"]
    before = torch.load(published / layout.repo / "pytorch_model.bin", weights_only=True)
    with safe_open(fetched / layout.slot / layout.name / "model.safetensors", "pt") as after:
        names = set(after.keys())
        assert "model.shared.weight" in names
        assert set(before) - names == {
            "model.encoder.embed_tokens.weight",
            "model.decoder.embed_tokens.weight",
        }
        assert all(torch.equal(after.get_tensor(name), before[name]) for name in names)


def test_a_second_fetch_asks_for_nothing(fetched: Path, hub: FakeHub) -> None:
    before = (fetched / MODELS_LOCK_NAME).read_bytes()
    done = command(fetched, hub, "fetch", *BY_SLOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("is already installed") == len(BY_SLOT)
    assert hub.requests == []
    assert (fetched / MODELS_LOCK_NAME).read_bytes() == before


def test_verify_reads_everything_without_a_hub(fetched: Path, hub: FakeHub) -> None:
    done = command(fetched, hub, "verify")
    assert done.returncode == 0, done.stdout
    assert "model.safetensors: ok" in done.stdout
    assert hub.requests == []


@pytest.fixture
def weights(tmp_path: Path) -> tuple[Path, Production]:
    """A repository with one safetensors file, and its entry in a catalog."""
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "config.json").write_text('{"architectures": ["BertModel"]}')
    (folder / "model.safetensors").write_bytes(b"first")
    entry = Production(
        id="somebody/Encoder",
        files=("config.json",),
        weights=("*.safetensors",),
        pickled=("pytorch_model.bin",),
        convert="pickled",
        licence="MIT",
        bytes=5,
    )
    return folder, entry


def test_a_lock_holds_the_commit_until_update(
    tmp_path: Path, weights: tuple[Path, Production]
) -> None:
    folder, entry = weights
    with FakeHub() as fake:
        first = fake.publish(entry.id, folder)
        models = tmp_path / "models"
        ProductionFetch(models, Hub(fake.url), quiet).fetch("text_embedding", entry)
        (folder / "model.safetensors").write_bytes(b"second")
        second = fake.publish(entry.id, folder)
        # What the first commit held is still there for those who ask for it.
        kept = tmp_path / "kept"
        kept.mkdir()
        shutil.copy(folder / "config.json", kept)
        (kept / "model.safetensors").write_bytes(b"first")
        assert fake.publish(entry.id, kept, branch="v1") == first
        # Another machine, with nothing but the lock.
        other = tmp_path / "other"
        other.mkdir()
        shutil.copy(models / MODELS_LOCK_NAME, other)
        fetch = ProductionFetch(other, Hub(fake.url), quiet)
        target = fetch.fetch("text_embedding", entry)
        assert target == other / "text_embedding" / "encoder"
        assert (target / "model.safetensors").read_bytes() == b"first"
        with pytest.raises(FetchFailed, match="--update"):
            fetch.fetch("text_embedding", entry, revision="main")
        fetch.fetch("text_embedding", entry, update=True)
        assert (target / "model.safetensors").read_bytes() == b"second"
        assert read_models_lock(other).checkpoints["text_embedding"].revision == second
        fetch.fetch("text_embedding", entry, revision="v1", update=True)
        assert read_models_lock(other).checkpoints["text_embedding"].revision == first


def test_files_unlike_the_lock_are_refused(
    tmp_path: Path, weights: tuple[Path, Production]
) -> None:
    folder, entry = weights
    with FakeHub() as fake:
        commit = fake.publish(entry.id, folder)
        models = tmp_path / "models"
        ProductionFetch(models, Hub(fake.url), quiet).fetch("text_embedding", entry)
        shutil.rmtree(models / "text_embedding")
        (folder / "model.safetensors").write_bytes(b"other")
        other = fake.publish(entry.id, folder)
        files = fake.repos[entry.id].commits
        files[commit] = files[other]  # a hub that serves something else under the same commit
        with pytest.raises(FetchFailed, match=r"model\.safetensors\. Nothing was installed"):
            ProductionFetch(models, Hub(fake.url), quiet).fetch("text_embedding", entry)
        assert not (models / "text_embedding").exists()


def test_a_folder_of_somebody_else_is_left_alone(
    tmp_path: Path, weights: tuple[Path, Production]
) -> None:
    folder, entry = weights
    own = tmp_path / "models" / "text_embedding" / "encoder"
    own.mkdir(parents=True)
    (own / "model.safetensors").write_bytes(b"mine")
    with FakeHub() as fake:
        fake.publish(entry.id, folder)
        with pytest.raises(FetchFailed, match="not fetched by this command"):
            ProductionFetch(tmp_path / "models", Hub(fake.url), quiet).fetch(
                "text_embedding", entry
            )
    assert (own / "model.safetensors").read_bytes() == b"mine"


def test_pickles_are_taken_only_where_there_is_nothing_else(
    tmp_path: Path, weights: tuple[Path, Production]
) -> None:
    folder, entry = weights
    torch.save({"a": torch.ones(2)}, folder / "pytorch_model.bin")
    with FakeHub() as fake:
        fake.publish(entry.id, folder)
        fetch = ProductionFetch(tmp_path / "models", Hub(fake.url), quiet)
        fetch.fetch("text_embedding", entry)
        assert not any(path.endswith(".bin") for path in fake.requests)
        (folder / "model.safetensors").unlink()
        fake.publish(entry.id, folder)
        target = fetch.fetch("text_embedding", entry, update=True)
        with safe_open(target / "model.safetensors", "pt") as file:
            assert torch.equal(file.get_tensor("a"), torch.ones(2))
        (folder / "pytorch_model.bin").unlink()
        fake.publish(entry.id, folder)
        with pytest.raises(FetchFailed, match="has none of"):
            fetch.fetch("text_embedding", entry, update=True)


def test_a_name_that_leads_elsewhere_is_refused(
    tmp_path: Path, weights: tuple[Path, Production]
) -> None:
    folder, entry = weights
    with FakeHub() as fake:
        commit = fake.publish(entry.id, folder)
        files = fake.repos[entry.id].commits[commit]
        files["../model.safetensors"] = files["model.safetensors"]
        wide = entry.model_copy(update={"files": ("*/*",)})
        with pytest.raises(FetchFailed, match="leads out of its folder"):
            ProductionFetch(tmp_path / "models", Hub(fake.url), quiet).fetch("chat", wide)


def test_a_killed_fetch_goes_on_where_it_was(tmp_path: Path, hub: FakeHub) -> None:
    models = tmp_path / "models"
    layout = BY_SLOT["audio_denoising"]
    # After two small files the store stops in the middle of the large one, and the client retries
    # until it is killed.
    hub.cut = [LARGE, LARGE, 60_000_000, *[0] * 20]
    process = subprocess.Popen(
        [sys.executable, "-m", "atoll_inference", "models", "fetch", layout.slot],
        env={**os.environ, "MODELS_DIR": str(models), "HF_ENDPOINT": hub.url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 60
    while len(hub.cut) >= 20 and process.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (models / layout.slot).exists()
    hub.cut = []
    hub.ranges.clear()
    done = command(models, hub, "fetch", layout.slot)
    assert done.returncode == 0, done.stderr
    assert hub.ranges == ["bytes=52428800-"]
    assert "resumed" in done.stdout
    assert [file.problem for file in verify(models) if file.problem] == []


SERVED_SLOTS = [layout for layout in LAYOUTS if layout.slot not in DETECTORS]


@pytest.mark.parametrize("layout", SERVED_SLOTS, ids=lambda layout: layout.slot)
def test_an_engine_loads_what_was_fetched(fetched: Path, tmp_path: Path, layout: Layout) -> None:
    checkpoint = checkpoints(fetched)[layout.slot]
    engine = build_engine(checkpoint, Runtime(device="cpu", threads=2, cache_dir=tmp_path))
    engine.load(lambda fraction, stage: None)
    engine.warmup()
    engine.unload()


def test_a_base_is_refused_and_the_same_with_a_head_is_not(fetched: Path, tmp_path: Path) -> None:
    runtime = Runtime(device="cpu", threads=2, cache_dir=tmp_path)
    base = checkpoints(fetched)["audio_deepfake"]
    with pytest.raises(LoadFailed, match="finetune audio_deepfake"):
        build_engine(base, runtime).load(lambda fraction, stage: None)
    folder = tmp_path / "audio_deepfake" / "trained"
    folder.mkdir(parents=True)
    DETECTORS["audio_deepfake"](folder, True)
    trained = checkpoints(tmp_path)["audio_deepfake"]
    assert (trained.problem, trained.labels) == (None, ("real", "fake"))
    engine = build_engine(trained, runtime)
    engine.load(lambda fraction, stage: None)
    engine.warmup()
    engine.unload()


def test_a_folder_is_converted_in_place(
    tmp_path: Path,
    published: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MODELS_DIR", str(tmp_path))
    for slot in ("emotion_detection", "audio_denoising"):
        layout = BY_SLOT[slot]
        folder = tmp_path / slot / layout.name
        shutil.copytree(published / layout.repo, folder)
        assert f"models convert {folder}" in str(checkpoints(tmp_path)[slot].problem)
        assert main(["models", "convert", str(folder)]) == 0
        assert "converted" in capsys.readouterr().out
        assert checkpoints(tmp_path)[slot].problem is None
        assert not list(folder.glob(".converting-*"))
    assert main(["models", "convert", str(tmp_path)]) == 1
    assert "no pickled weights" in capsys.readouterr().err


def test_parts_are_converted_one_by_one(tmp_path: Path) -> None:
    folder = tmp_path / "big"
    folder.mkdir()
    (folder / "config.json").write_text('{"architectures": ["BertModel"]}')
    (folder / "tokenizer.json").write_text("{}")
    names = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"]
    torch.save({"a": torch.ones(3)}, folder / names[0])
    torch.save({"b": torch.zeros(2)}, folder / names[1], _use_new_zipfile_serialization=False)
    index: dict[str, Any] = {"weight_map": {"a": names[0], "b": names[1]}}
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    assert main(["models", "convert", str(folder)]) == 0
    (found,) = Discovery(tmp_path, SERVED).scan()
    assert (found.problem, found.parameters) == (None, 5)
    made = json.loads((folder / "model.safetensors.index.json").read_text())
    assert made["weight_map"] == {
        "a": "model-00001-of-00002.safetensors",
        "b": "model-00002-of-00002.safetensors",
    }


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "damaged"),
        (b"PK\x03\x04 cut short", "damaged"),
        ({"a": 3}, "'a' is no tensor"),
        ([torch.ones(2)], "no state dict"),
        ({"a": Path("/tmp")}, "more than tensors"),
    ],
)
def test_a_pickle_that_is_no_state_dict_is_refused(tmp_path: Path, content: Any, told: str) -> None:
    path = tmp_path / "pytorch_model.bin"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    target = tmp_path / "target"
    target.mkdir()
    with pytest.raises(BadSource, match=told):
        pickled.convert(tmp_path, target)
    assert list(target.iterdir()) == []


@pytest.mark.parametrize(
    "attempt",
    [
        "os.system('true')",
        "subprocess.run(['true'])",
        "os.fork()",
        "socket.create_connection(('127.0.0.1', 9))",
    ],
)
def test_a_conversion_starts_nothing_and_calls_nobody(attempt: str) -> None:
    program = (
        "import os, socket, subprocess, sys\n"
        "from atoll_inference.convert.__main__ import refuse\n"
        f"sys.addaudithook(refuse)\n{attempt}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "PermissionError: the weights tried to use" in done.stderr
