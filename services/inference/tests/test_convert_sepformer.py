"""A SepFormer as speechbrain publishes it becomes one that is served."""

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tiny_sound import TINY_SEPFORMER, make_upstream_sepformer, recording, voice

from atoll_inference.catalog import conversion
from atoll_inference.catalog.conversion import ConversionFailed
from atoll_inference.convert import BadSource
from atoll_inference.convert.sepformer import convert
from atoll_inference.engines.base import Unit
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.sepformer import SepformerEngine
from atoll_inference.engines.sepformer_model import SepformerConfig, read_config
from atoll_inference.engines.tasks.sound import DenoiseInput


@pytest.fixture
def source(tmp_path: Path) -> Path:
    make_upstream_sepformer(tmp_path / "source")
    return tmp_path / "source"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "target").mkdir()
    return tmp_path / "target"


def loaded(folder: Path) -> SepformerEngine:
    engine = SepformerEngine(folder, Runtime(device="cpu"))
    engine.load(lambda fraction, stage: None)
    return engine


def replace(folder: Path, old: str, new: str) -> None:
    path = folder / "hyperparams.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("sources", [1, 2])
def test_the_result_answers_as_the_original(tmp_path: Path, target: Path, sources: int) -> None:
    model = make_upstream_sepformer(tmp_path / "source", sources=sources, layers=2, blocks=2)
    convert(tmp_path / "source", target)
    assert read_config(target) == SepformerConfig(
        **{**TINY_SEPFORMER, "sources": sources, "layers": 2, "blocks": 2}
    )
    mixture = torch.randn(1, 16 + 8 * 50)
    with torch.inference_mode():
        wanted = model(mixture).sum(0)[0].numpy()
    got = loaded(target).forward([Unit(mixture[0].numpy(), mixture.shape[1])])[0]
    assert got == pytest.approx(wanted, abs=1e-5)


UPSTREAM = """
import sys, warnings
from pathlib import Path
from atoll_inference.engines.torchaudio_stub import let_torchaudio_import
let_torchaudio_import()
import torch
from hyperpyyaml import load_hyperpyyaml
folder = Path(sys.argv[1])
with open(folder / "hyperparams.yaml") as text:
    modules = load_hyperpyyaml(text)["modules"]
for name, module in modules.items():
    module.load_state_dict(torch.load(folder / f"{name}.ckpt", weights_only=True))
    module.eval()
mixture = torch.load(folder / "mixture.tensor", weights_only=True)
with torch.inference_mode():
    heard = modules["encoder"](mixture)
    masks = modules["masknet"](heard)
    speech = sum(modules["decoder"](heard * mask) for mask in masks)
torch.save(speech, folder / "speech.tensor")
"""


def test_speechbrain_gives_the_same_answer_from_its_own_files(tmp_path: Path, target: Path) -> None:
    source = tmp_path / "source"
    make_upstream_sepformer(source, layers=2, blocks=2)
    mixture = torch.randn(1, 16 + 8 * 50)
    torch.save(mixture, source / "mixture.tensor")
    subprocess.run([sys.executable, "-c", UPSTREAM, str(source)], check=True)
    wanted = torch.load(source / "speech.tensor", weights_only=True)[0].numpy()
    convert(source, target)
    got = loaded(target).forward([Unit(mixture[0].numpy(), mixture.shape[1])])[0]
    assert got == pytest.approx(wanted, abs=1e-5)


def test_only_what_is_served_is_written(source: Path, target: Path) -> None:
    convert(source, target)
    names = {path.name for path in target.iterdir()}
    assert names == {"config.json", "model.safetensors", "README.md", "hyperparams.yaml"}
    tensors = load_file(target / "model.safetensors")
    assert {name.split(".")[0] for name in tensors} == {"encoder", "masknet", "decoder"}


def test_it_runs_in_a_process_of_its_own(source: Path, target: Path) -> None:
    conversion.convert("sepformer", source, target)
    result = loaded(target).run(DenoiseInput(recording(voice(0.5))))
    assert result.audio.samples.shape == (8000, 1)


def test_production_sizes(tmp_path: Path, target: Path) -> None:
    make_upstream_sepformer(tmp_path / "source", **SepformerConfig().model_dump())
    conversion.convert("sepformer", tmp_path / "source", target)
    assert read_config(target) == SepformerConfig()
    assert sum(t.numel() for t in load_file(target / "model.safetensors").values()) > 25_679_000
    engine = loaded(target)
    engine.warmup()


def test_numbers_in_the_place_of_references_are_read(source: Path, target: Path) -> None:
    replace(source, "num_spks: !ref <num_spks>", "num_spks: 2")
    replace(source, "out_channels: !ref <out_channels>", "out_channels: 16")
    convert(source, target)
    assert read_config(target).channels == 16


class Evil:
    """Makes a file when it is unpickled."""

    def __reduce__(self) -> Any:
        return os.mkdir, ("made-by-a-pickle",)


def test_a_pickle_with_code_is_refused(
    source: Path, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"weight": Evil()}, source / "decoder.ckpt")
    with pytest.raises(BadSource, match=r"decoder.ckpt holds more than tensors"):
        convert(source, target)
    (source / "decoder.ckpt").write_bytes(pickle.dumps(Evil(), protocol=2))
    with pytest.raises(BadSource, match=r"decoder.ckpt"):
        convert(source, target)
    with pytest.raises(ConversionFailed, match=r"decoder.ckpt"):
        conversion.convert("sepformer", source, target)
    assert not (tmp_path / "made-by-a-pickle").exists()
    assert not list(target.iterdir())


@pytest.mark.parametrize(
    "line",
    [
        "evil: !apply:os.mkdir [made-by-yaml]",
        "evil: !new:pathlib.Path [made-by-yaml]",
        "evil: !!python/object/apply:os.mkdir [made-by-yaml]",
        "evil: !include:/etc/passwd",
    ],
)
def test_tags_make_nothing(
    source: Path, target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = source / "hyperparams.yaml"
    path.write_text(f"{line}\n{path.read_text()}")
    if "!!python" in line:
        with pytest.raises(BadSource, match="cannot be read"):
            convert(source, target)
    else:
        convert(source, target)
    assert not (tmp_path / "made-by-yaml").exists()


@pytest.mark.parametrize("name", ["encoder.ckpt", "masknet.ckpt", "hyperparams.yaml"])
def test_a_file_that_is_missing_is_named(source: Path, target: Path, name: str) -> None:
    (source / name).unlink()
    with pytest.raises(BadSource, match=name):
        convert(source, target)


@pytest.mark.parametrize("name", ["encoder.ckpt", "masknet.ckpt", "decoder.ckpt"])
def test_a_truncated_file_is_named(source: Path, target: Path, name: str) -> None:
    path = source / name
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(BadSource, match=name):
        convert(source, target)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("norm: ln", "norm: gln", "norm of Dual_Path_Model is gln"),
        ("linear_layer_after_inter_intra: False", "K: 20", "linear_layer_after_inter_intra"),
        ("norm_before: True", "norm_before: False", "norm_before"),
        ("bias: False", "bias: True", "bias of Decoder"),
        ("stride: 8", "stride: 4", "stride of Decoder is 4"),
        ("nhead: 2", "nhead: many", "sizes that no SepFormer can have"),
        ("sample_rate: 8000", "rate: 8000", "has no sample_rate"),
        ("SBtfintra: !new", "SBtf: !new", "has no SBtfintra"),
        ("out_channels: 16", "out_channels: !ref <out_channels>", "refers in a circle"),
        ("dual_path.Decoder", "resepformer.Decoder", "describes 0 objects of Decoder"),
        ("seed: 1234", "seed: [", "cannot be read"),
    ],
)
def test_another_network_is_refused(
    source: Path, target: Path, old: str, new: str, says: str
) -> None:
    replace(source, old, new)
    with pytest.raises(BadSource, match=says):
        convert(source, target)
    assert not list(target.iterdir())


def test_tensors_of_another_size_are_named(source: Path, target: Path) -> None:
    replace(source, "d_ffn: 32", "d_ffn: 64")
    with pytest.raises(BadSource, match=r"pos_ffn\.ffn\.0\.weight.*hyperparams\.yaml|hyperparams"):
        convert(source, target)


def test_a_missing_tensor_is_named(source: Path, target: Path) -> None:
    state = torch.load(source / "masknet.ckpt", weights_only=True)
    del state["prelu.weight"]
    torch.save(state, source / "masknet.ckpt")
    with pytest.raises(BadSource, match=r"missing: masknet\.prelu\.weight"):
        convert(source, target)
