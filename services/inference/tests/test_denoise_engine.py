"""SepFormer as it is served: any recording in, the same with the speech alone out."""

import json
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tiny_sound import (
    change_tensors,
    make_faithful_sepformer,
    make_sepformer,
    random_sepformer,
    recording,
    si_snr,
    train_sepformer,
    voice,
)

from atoll_inference.engines.base import InvalidInput, LoadFailed, Stopped, Unit
from atoll_inference.engines.crossfade import Joiner, cut
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.sepformer import SepformerEngine
from atoll_inference.engines.sepformer_model import SepformerConfig, quicken
from atoll_inference.engines.tasks.sound import DenoiseInput
from atoll_inference.media.audio import Audio
from atoll_inference.media.spool import SampleSpool

QUIET = lambda fraction, stage: None  # noqa: E731


def loaded(folder: Path, **runtime: Any) -> SepformerEngine:
    engine = SepformerEngine(folder, Runtime(device="cpu", **runtime))
    engine.load(QUIET)
    engine.warmup()
    return engine


@pytest.fixture(scope="module")
def faithful(tmp_path_factory: pytest.TempPathFactory) -> SepformerEngine:
    """An engine whose model gives back what it hears, 5 times as loud."""
    return loaded(make_faithful_sepformer(tmp_path_factory.mktemp("faithful"), loudness=5.0))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> SepformerEngine:
    return loaded(train_sepformer(tmp_path_factory.mktemp("trained")))


def denoise(engine: SepformerEngine, audio: Audio) -> NDArray[np.float32]:
    result = engine.run(DenoiseInput(audio))
    assert result.audio.rate == audio.rate
    assert result.audio.samples.shape == audio.samples.shape
    assert result.audio.samples.dtype == np.float32
    assert np.isfinite(result.audio.samples).all()
    return np.asarray(result.audio.samples)


def level(samples: NDArray[np.float32]) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64))))


# What comes out


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100, 48000])
@pytest.mark.parametrize("seconds", [0.01, 0.7, 4.1, 9.37])
def test_rate_channels_and_frames_are_kept(
    faithful: SepformerEngine, rate: int, seconds: float
) -> None:
    left = voice(seconds, rate, seed=1)
    out = denoise(faithful, recording(left, 0.5 * left[::-1], rate=rate))
    assert out.any()


def test_a_single_sample_comes_back_as_one(faithful: SepformerEngine) -> None:
    assert denoise(faithful, recording(np.full(1, 0.5, np.float32), rate=48000)).shape == (1, 1)


def test_what_the_model_keeps_sounds_as_it_did(faithful: SepformerEngine) -> None:
    sound = voice(20.0, 8000, seed=3)
    out = denoise(faithful, recording(sound, rate=8000))[:, 0]
    # The model's first and last half kernel are in one frame instead of two.
    np.testing.assert_allclose(out[8:-8], sound[8:-8], atol=2e-3)


def test_loud_and_soft_parts_keep_their_levels(faithful: SepformerEngine) -> None:
    sound = np.concatenate([voice(7.0, 8000, seed=1), 0.01 * voice(7.0, 8000, seed=2)])
    out = denoise(faithful, recording(sound, rate=8000))[:, 0]
    for part in (slice(0, 52_000), slice(60_000, None)):
        assert level(out[part]) == pytest.approx(level(sound[part]), abs=0.1)


def test_channels_keep_their_levels(faithful: SepformerEngine) -> None:
    left, right = voice(5.0, seed=1), 0.05 * voice(5.0, seed=2)
    out = denoise(faithful, recording(left, right))
    assert level(out[:, 0]) == pytest.approx(level(left), abs=0.3)
    assert level(out[:, 1]) == pytest.approx(level(right), abs=0.3)


def test_a_full_scale_recording_does_not_clip(faithful: SepformerEngine) -> None:
    square = np.sign(np.sin(2 * np.pi * 440 * np.arange(80_000) / 16000)).astype(np.float32)
    assert np.abs(denoise(faithful, recording(square))).max() <= 1.0


def test_windows_meet_without_a_click(trained: SepformerEngine) -> None:
    time = np.arange(8000 * 15) / 8000
    tone = (0.3 * np.sin(2 * np.pi * 200 * time)).astype(np.float32)
    out = denoise(trained, recording(tone, rate=8000))[800:-800, 0]
    steps = np.abs(np.diff(out, 2))
    # A click is a bend that stands out from all others.
    assert steps.max() < 4 * np.quantile(steps, 0.99)


def test_noise_goes_and_speech_stays(trained: SepformerEngine) -> None:
    rng = np.random.default_rng(7)
    speech = voice(10.0, 8000, pitch=170, seed=999)
    noise = 0.7 * speech.std() * rng.standard_normal(len(speech), np.float32)
    out = denoise(trained, recording(speech + noise, rate=8000))[:, 0]
    before = float(si_snr(torch.from_numpy(speech + noise), torch.from_numpy(speech)))
    after = float(si_snr(torch.from_numpy(out), torch.from_numpy(speech)))
    assert after > before + 4
    share = float(np.vdot(out, speech) / np.vdot(speech, speech))
    assert 20 * np.log10(share) == pytest.approx(0.0, abs=1.0)
    # The level of the speech is the same in every second of it.
    seconds = [slice(s * 8000, (s + 1) * 8000) for s in range(10)]
    shares = [np.vdot(out[s], speech[s]) / np.vdot(speech[s], speech[s]) for s in seconds]
    assert 20 * np.log10(max(shares) / min(shares)) < 1.5


def test_silence_stays_silent(trained: SepformerEngine) -> None:
    assert not denoise(trained, recording(np.zeros(160_000, np.float32))).any()


def test_silence_between_words_stays_silent(faithful: SepformerEngine) -> None:
    sound = np.concatenate([voice(1.0), np.zeros(16000 * 8, np.float32), voice(1.0)])
    out = denoise(faithful, recording(sound))[:, 0]
    assert np.abs(out[16000 + 800 : -16000 - 800]).max() < 1e-4


def test_equal_channels_are_heard_once(faithful: SepformerEngine) -> None:
    sound = voice(2.0)
    way = faithful.steps(DenoiseInput(recording(sound, sound)), QUIET)
    assert len(next(way)) == 1
    way.close()
    out = denoise(faithful, recording(sound, sound))
    assert (out[:, 0] == out[:, 1]).all()


@pytest.mark.parametrize("sources", [1, 2, 3])
def test_all_speakers_are_speech(tmp_path: Path, sources: int) -> None:
    engine = loaded(make_faithful_sepformer(tmp_path, sources=sources))
    sound = voice(1.0, 8000)
    out = denoise(engine, recording(sound, rate=8000))[:, 0]
    np.testing.assert_allclose(out[8:-8], sound[8:-8], atol=2e-3)


# Batches, length, cancelling


def test_an_answer_does_not_depend_on_its_neighbours(tmp_path: Path) -> None:
    engine = loaded(make_sepformer(tmp_path))
    rng = np.random.default_rng(0)
    lengths = [4000, 32000, 777, 4000, 12345, 32000, 16]
    units = [Unit(rng.standard_normal(n, np.float32), n) for n in lengths]
    together = engine.forward(units)
    for unit, answer in zip(units, together, strict=True):
        alone = engine.forward([unit])[0]
        assert answer.shape == unit.data.shape
        np.testing.assert_allclose(answer, alone, atol=1e-5)


def test_recordings_together_are_answered_as_alone(tmp_path: Path) -> None:
    engine = loaded(make_sepformer(tmp_path))
    items = [
        DenoiseInput(recording(voice(seconds, rate, seed=rate), rate=rate))
        for seconds, rate in ((5.0, 16000), (0.3, 8000), (9.0, 11025), (1.0, 44100))
    ]
    for item, answer in zip(items, engine.run_batch(items), strict=True):
        np.testing.assert_allclose(answer.audio.samples, engine.run(item).audio.samples, atol=1e-5)


@pytest.mark.parametrize("frames", [1, 31_999, 32_000, 32_001, 32_008, 60_001, 61_000, 1_234_567])
def test_windows_cover_everything_once(frames: int) -> None:
    windows = cut(frames, 32_000, 4000, 16)
    signal = np.random.default_rng(0).standard_normal((frames, 2), np.float32)
    joiner = Joiner(windows)
    parts = [joiner.add(signal[start : start + windows.length]) for start in windows.starts]
    np.testing.assert_allclose(np.concatenate(parts), signal, atol=1e-6)
    assert windows.length <= 32_016
    assert len(windows.starts) <= 1 + frames // 28_000


def test_hours_of_sound_need_little_memory(faithful: SepformerEngine) -> None:
    minute = voice(60.0, 16000)[:, None]
    with SampleSpool(1) as spool:
        for _ in range(45):
            spool.append(minute)
        audio = Audio(spool.finish(), 16000)
    del spool
    fractions: list[float] = []
    tracemalloc.start()
    try:
        way = faithful.steps(
            DenoiseInput(audio), lambda fraction, stage: fractions.append(fraction)
        )
        units = next(way)
        try:
            while True:
                assert len(units) <= faithful.limits.count
                units = way.send([unit.data for unit in units])
        except StopIteration as end:
            result = end.value
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result.audio.samples.shape == audio.samples.shape
    assert level(result.audio.samples[:, 0]) == pytest.approx(level(minute), abs=0.3)
    # The recording has 165 MiB.
    assert peak < 100 * 2**20, f"{peak / 2**20:.0f} MiB"
    assert fractions == sorted(fractions)
    assert fractions[0] == 0.0
    assert len(fractions) > 500


def test_a_cancelled_recording_stops(faithful: SepformerEngine) -> None:
    def progress(fraction: float, stage: str) -> None:
        if fraction > 0.3:
            raise Stopped("nobody waits")

    with pytest.raises(Stopped):
        faithful.run(DenoiseInput(recording(voice(20.0, 8000), rate=8000)), progress)


# Input that cannot be taken


def test_no_samples_are_refused(faithful: SepformerEngine) -> None:
    empty = Audio(np.zeros((0, 1), np.float32), 16000)
    with pytest.raises(InvalidInput, match="no samples"):
        faithful.run(DenoiseInput(empty))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused(faithful: SepformerEngine, value: float) -> None:
    sound = voice(6.0)
    sound[50_000] = value
    with pytest.raises(InvalidInput, match="no numbers"):
        faithful.run(DenoiseInput(recording(sound)))


# Weights


NAME = "masknet.dual_mdl.0.intra_mdl.mdl.layers.0.self_att.att.in_proj_weight"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda state: state.pop(NAME), f"missing: {NAME}"),
        (lambda state: state.update({"masknet.odd": state.pop(NAME)}), "unknown: masknet.odd"),
        (lambda state: state.update({NAME: state[NAME][:-1].clone()}), rf"{NAME} \(is \[47, 16\]"),
        (lambda state: state.update({"extra": torch.ones(1)}), "unknown: extra"),
    ],
    ids=["removed", "renamed", "misshaped", "added"],
)
def test_a_tensor_that_does_not_fit_is_named(tmp_path: Path, change: Any, says: str) -> None:
    change_tensors(make_sepformer(tmp_path), change)
    with pytest.raises(LoadFailed, match=says):
        loaded(tmp_path)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("{", "no SepFormer that can be used"),
        ("[]", "config.json is no SepFormer"),
        ('{"architectures": ["BertModel"]}', "the architecture is BertModel"),
        ('{"architectures": ["SepFormer"], "channels": "many"}', "channels"),
        ('{"architectures": ["SepFormer"], "channels": 33, "heads": 2}', "multiple of heads"),
        ('{"architectures": ["SepFormer"], "kernel_size": 15}', "kernel_size"),
    ],
)
def test_a_config_that_cannot_be_used_is_named(tmp_path: Path, config: str, says: str) -> None:
    make_sepformer(tmp_path)
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(LoadFailed, match=says):
        loaded(tmp_path)


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    file = make_sepformer(tmp_path) / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(LoadFailed, match=r"model.safetensors is damaged"):
        loaded(tmp_path)


def test_a_folder_without_weights_is_named(tmp_path: Path) -> None:
    (make_sepformer(tmp_path) / "model.safetensors").unlink()
    with pytest.raises(LoadFailed, match="no safetensors file"):
        loaded(tmp_path)


def test_it_loads_again_after_unloading(tmp_path: Path) -> None:
    engine = loaded(make_sepformer(tmp_path))
    item = DenoiseInput(recording(voice(1.0)))
    first = engine.run(item).audio.samples
    assert engine.bytes_estimate() > (tmp_path / "model.safetensors").stat().st_size
    engine.unload()
    engine.unload()
    engine.load(QUIET)
    assert (engine.run(item).audio.samples == first).all()


def test_a_loaded_model_does_not_need_its_files(tmp_path: Path) -> None:
    engine = loaded(make_sepformer(tmp_path))
    item = DenoiseInput(recording(voice(1.0)))
    first = engine.run(item).audio.samples
    file = tmp_path / "model.safetensors"
    file.write_bytes(bytes(file.stat().st_size))
    file.unlink()
    assert (engine.run(item).audio.samples == first).all()


@pytest.mark.parametrize(
    ("dtype", "error"), [("fp32", 1e-5), ("bf16", 0.05), ("fp16", 0.01), ("int8", 0.05)]
)
def test_other_formats_answer_nearly_the_same(
    trained: SepformerEngine, dtype: str, error: float
) -> None:
    other = loaded(trained._folder, dtype=dtype)
    item = DenoiseInput(recording(voice(2.0, 8000, seed=5), rate=8000))
    wanted = trained.run(item).audio.samples
    got = other.run(item).audio.samples
    assert np.linalg.norm(got - wanted) < error * np.linalg.norm(wanted)


def test_the_quick_way_gives_speechbrains_answer() -> None:
    config = SepformerConfig(channels=16, chunk=20, blocks=2, layers=2, heads=2, feed_forward=32)
    model = random_sepformer(config)
    mixture = torch.randn(2, 16 + 8 * 100)
    with torch.inference_mode():
        # As speechbrain's own SepformerSeparation does it.
        heard = model.encoder(mixture)
        masked = torch.stack([heard] * 2) * model.masknet(heard)
        wanted = torch.stack([model.decoder(masked[source]) for source in range(2)])
        torch.testing.assert_close(model(mixture), wanted)
        quicken(model)
        torch.testing.assert_close(model(mixture), wanted, atol=1e-5, rtol=1e-4)


def test_importing_it_changes_nothing_else() -> None:
    """speechbrain's own package would change precision on GPUs and leave modules that break."""
    script = """
import json, sys, torch
from atoll_inference.engines.sepformer_model import SepformerConfig, empty_model
before = torch.backends.cuda.matmul.allow_tf32, torch._C._jit_set_profiling_mode(True)
empty_model(SepformerConfig(channels=4, heads=1, layers=1, blocks=1))
for module in list(sys.modules.values()):
    hasattr(module, "__file__")
after = torch.backends.cuda.matmul.allow_tf32, torch._C._jit_set_profiling_mode(True)
print(json.dumps([before == after, sorted({"hyperpyyaml", "speechbrain.core"} & set(sys.modules))]))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout) == [True, []]
