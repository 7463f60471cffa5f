"""The judge of recordings: what it refuses to judge with, and how it judges.

Heads of random numbers show how windows are cut and scores put together; that a trained one tells
real from fake is shown in test_finetune_audio.py.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from tiny_sound import (
    change_tensors,
    make_wavlm_base,
    make_wavlm_judge,
    recording,
    tiny_wavlm_config,
    voice,
)

from atoll_inference.engines.audio_classifier import AudioClassifierEngine
from atoll_inference.engines.base import InvalidInput, LoadFailed, Stopped
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.tasks.sound import AudioDeepfakeInput, AudioDeepfakeResult
from atoll_inference.media.audio import Audio, resample


def quiet(fraction: float, stage: str) -> None:
    """Progress that nobody watches."""


def loaded(folder: Path, **runtime: Any) -> AudioClassifierEngine:
    engine = AudioClassifierEngine(folder, Runtime(device="cpu", **runtime))
    engine.load(quiet)
    engine.warmup()
    return engine


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_wavlm_judge(tmp_path_factory.mktemp("judge"))


@pytest.fixture(scope="module")
def engine(folder: Path) -> AudioClassifierEngine:
    return loaded(folder)


def judge(engine: AudioClassifierEngine, audio: Audio) -> AudioDeepfakeResult:
    result = engine.run(AudioDeepfakeInput(audio))
    assert isinstance(result, AudioDeepfakeResult)
    return result


def edit(path: Path, **changes: Any) -> None:
    """Change a JSON file; None removes a key."""
    content = json.loads(path.read_text("utf-8")) | changes
    path.write_text(json.dumps({k: v for k, v in content.items() if v is not None}), "utf-8")


# Checkpoints that cannot judge


REMEDY = "atoll-inference finetune audio_deepfake --data DIR"


def refusal(folder: Path) -> str:
    with pytest.raises(LoadFailed) as caught:
        loaded(folder)
    return str(caught.value)


def test_a_base_without_a_head_is_refused_with_the_remedy(tmp_path: Path) -> None:
    says = refusal(make_wavlm_base(tmp_path))
    assert "no head" in says
    assert "WavLMModel" in says
    assert REMEDY in says


def test_a_head_that_is_only_in_the_config_is_refused(tmp_path: Path) -> None:
    def behead(state: dict[str, Any]) -> None:
        for name in [n for n in state if n.startswith(("classifier.", "projector."))]:
            del state[name]

    change_tensors(make_wavlm_judge(tmp_path), behead)
    says = refusal(tmp_path)
    assert "none in its weights" in says
    assert REMEDY in says


@pytest.mark.parametrize(
    "labels",
    [("LABEL_0", "LABEL_1"), ("happy", "sad"), ("real", "fake", "unsure"), ("fake", "spoof")],
)
def test_labels_that_are_not_real_and_fake_are_refused(
    tmp_path: Path, labels: tuple[str, ...]
) -> None:
    says = refusal(make_wavlm_judge(tmp_path, labels=labels))
    # transformers does not write names that it made up itself.
    assert ("no names" if labels[0] == "LABEL_0" else labels[0]) in says
    assert REMEDY in says


def test_another_kind_of_head_is_refused(tmp_path: Path) -> None:
    edit(make_wavlm_judge(tmp_path) / "config.json", architectures=["WavLMForXVector"])
    assert REMEDY in refusal(tmp_path)


def test_another_family_is_refused(tmp_path: Path) -> None:
    edit(
        make_wavlm_judge(tmp_path) / "config.json", architectures=["BertForSequenceClassification"]
    )
    says = refusal(tmp_path)
    assert "BertForSequenceClassification" in says
    assert REMEDY in says


@pytest.mark.parametrize(
    ("labels", "turned"),
    [
        (("bonafide", "spoof"), False),
        (("Spoof", "Bona-Fide"), True),
        (("FAKE", "Genuine"), True),
        (("human", "AI_generated"), False),
    ],
)
def test_labels_may_go_by_other_names(
    tmp_path: Path, engine: AudioClassifierEngine, labels: tuple[str, ...], turned: bool
) -> None:
    other = loaded(make_wavlm_judge(tmp_path, labels=labels))
    audio = recording(voice(3.0))
    wanted = judge(engine, audio).score
    assert judge(other, audio).score == pytest.approx(1 - wanted if turned else wanted, abs=1e-5)
    assert judge(other, audio).scores.keys() == {"real", "fake"}


# Weights


NAME = "wavlm.encoder.layers.1.feed_forward.output_dense.weight"


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state.pop(NAME),
        lambda state: state.update({NAME: state[NAME][:-1].clone()}),
        lambda state: state.update({f"{NAME}.other": state.pop(NAME)}),
    ],
    ids=["removed", "misshaped", "renamed"],
)
def test_a_tensor_that_does_not_fit_is_named(tmp_path: Path, change: Any) -> None:
    change_tensors(make_wavlm_judge(tmp_path), change)
    assert NAME in refusal(tmp_path)


def test_half_a_head_is_named(tmp_path: Path) -> None:
    change_tensors(make_wavlm_judge(tmp_path), lambda state: state.pop("classifier.bias"))
    assert "classifier.bias" in refusal(tmp_path)


@pytest.mark.parametrize("file", ["config.json", "preprocessor_config.json", "model.safetensors"])
@pytest.mark.parametrize("content", [None, b"", b"{", b"[1]"])
def test_a_file_that_is_absent_or_damaged_is_named(
    tmp_path: Path, file: str, content: bytes | None
) -> None:
    path = make_wavlm_judge(tmp_path) / file
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert str(tmp_path) in refusal(tmp_path)


def test_a_feature_extractor_for_spectrograms_is_refused(tmp_path: Path) -> None:
    path = make_wavlm_judge(tmp_path) / "preprocessor_config.json"
    edit(path, feature_extractor_type="ASTFeatureExtractor")
    assert "ASTFeatureExtractor" in refusal(tmp_path)


def test_weights_with_the_names_of_older_releases_load(
    tmp_path: Path, engine: AudioClassifierEngine
) -> None:
    def rename(state: dict[str, Any]) -> None:
        for new, old in (("original0", "weight_g"), ("original1", "weight_v")):
            name = f"wavlm.encoder.pos_conv_embed.conv.parametrizations.weight.{new}"
            state[f"wavlm.encoder.pos_conv_embed.conv.{old}"] = state.pop(name)

    change_tensors(make_wavlm_judge(tmp_path), rename)
    audio = recording(voice(2.0))
    assert judge(loaded(tmp_path), audio).score == pytest.approx(judge(engine, audio).score)


@pytest.mark.parametrize("family", ["Wav2Vec2", "Hubert"])
def test_other_families_judge_too(tmp_path: Path, family: str) -> None:
    settings = tiny_wavlm_config().to_dict()
    names = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
    names += ("conv_dim", "conv_kernel", "conv_stride", "num_feat_extract_layers")
    names += ("num_conv_pos_embeddings", "num_conv_pos_embedding_groups", "classifier_proj_size")
    config = getattr(transformers, f"{family}Config")(
        **{name: settings[name] for name in names}, id2label={0: "fake", 1: "real"}
    )
    torch.manual_seed(0)
    getattr(transformers, f"{family}ForSequenceClassification")(config).save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text('{"do_normalize": true}')
    for dtype in ("fp32", "int8"):
        result = judge(loaded(tmp_path, dtype=dtype), recording(voice(5.0)))
        assert 0 <= result.score <= 1
        assert len(result.windows) == 2


# Windows and scores


@pytest.mark.parametrize(
    ("seconds", "spans"),
    [
        (0.1, [(0, 0.1)]),
        (3.0, [(0, 3)]),
        (4.0, [(0, 4)]),
        (5.0, [(0, 4), (1, 5)]),
        (12.0, [(0, 4), (4, 8), (8, 12)]),
        (13.0, [(0, 4), (4, 8), (8, 12), (9, 13)]),
    ],
)
def test_windows_cover_the_recording(
    engine: AudioClassifierEngine, seconds: float, spans: list[tuple[float, float]]
) -> None:
    result = judge(engine, recording(voice(seconds)))
    assert [(w.start, w.end) for w in result.windows] == spans
    assert result.score == pytest.approx(np.mean([w.score for w in result.windows]))
    assert result.scores == {"real": pytest.approx(1 - result.score), "fake": result.score}
    assert result.label == ("fake" if result.score >= 0.5 else "real")


def test_a_window_is_judged_as_it_would_be_alone(engine: AudioClassifierEngine) -> None:
    sound = voice(9.0, seed=4)
    whole = judge(engine, recording(sound))
    for window in whole.windows:
        part = sound[round(window.start * 16000) : round(window.end * 16000)]
        assert judge(engine, recording(part)).score == pytest.approx(window.score, abs=1e-5)


def test_the_score_is_that_of_transformers(folder: Path, engine: AudioClassifierEngine) -> None:
    sound = voice(3.0)
    model = transformers.WavLMForSequenceClassification.from_pretrained(folder).eval()
    extract = transformers.AutoFeatureExtractor.from_pretrained(folder)
    values = extract(sound, sampling_rate=16000, return_tensors="pt").input_values
    with torch.inference_mode():
        wanted = model(values).logits.softmax(-1)[0, 1].item()
    assert judge(engine, recording(sound)).score == pytest.approx(wanted, abs=1e-6)


def test_normalisation_is_that_of_transformers(tmp_path: Path) -> None:
    path = make_wavlm_judge(tmp_path) / "preprocessor_config.json"
    edit(path, do_normalize=True)
    sound = 0.1 * voice(3.0) + 0.05
    model = transformers.WavLMForSequenceClassification.from_pretrained(tmp_path).eval()
    extract = transformers.AutoFeatureExtractor.from_pretrained(tmp_path)
    values = extract(sound, sampling_rate=16000, return_tensors="pt").input_values
    with torch.inference_mode():
        wanted = model(values).logits.softmax(-1)[0, 1].item()
    assert judge(loaded(tmp_path), recording(sound)).score == pytest.approx(wanted, abs=1e-5)


def test_rate_and_channels_do_not_matter(engine: AudioClassifierEngine) -> None:
    audio = resample(recording(voice(6.0)), 44100)
    stereo = Audio(np.repeat(audio.samples, 2, axis=1), 44100)
    mono_score = judge(engine, recording(voice(6.0))).score
    assert judge(engine, stereo).score == pytest.approx(mono_score, abs=0.02)


def test_the_checkpoint_may_say_how_long_windows_are(tmp_path: Path) -> None:
    path = make_wavlm_judge(tmp_path) / "preprocessor_config.json"
    edit(path, window_seconds=1.5, repeat_short=True)
    engine = loaded(tmp_path)
    result = judge(engine, recording(voice(4.0)))
    assert [(w.start, w.end) for w in result.windows] == [(0, 1.5), (1.5, 3), (2.5, 4)]
    # A short recording is repeated until it fills a window.
    short = voice(0.4)
    assert judge(engine, recording(short)).windows[0].end == pytest.approx(0.4)
    assert judge(engine, recording(short)).score == pytest.approx(
        judge(engine, recording(np.resize(short, 24_000))).score, abs=1e-6
    )


def test_silent_windows_are_left_out(engine: AudioClassifierEngine) -> None:
    sound = np.concatenate([voice(4.0), np.zeros(16000 * 8, np.float32), voice(4.0, seed=1)])
    result = judge(engine, recording(sound))
    assert [(w.start, w.end) for w in result.windows] == [(0, 4), (12, 16)]


def test_together_answers_are_as_alone(engine: AudioClassifierEngine) -> None:
    items = [
        AudioDeepfakeInput(recording(voice(seconds, seed=round(seconds * 10))))
        for seconds in (9.0, 0.3, 4.0, 2.2, 17.0, 4.0, 0.3)
    ]
    for item, answer in zip(items, engine.run_batch(items), strict=True):
        alone = engine.run(item)
        assert [w.score for w in answer.windows] == pytest.approx(
            [w.score for w in alone.windows], abs=1e-5
        )


def test_an_hour_is_judged_in_rounds(engine: AudioClassifierEngine) -> None:
    sound = np.tile(voice(60.0), 60)
    fractions: list[float] = []
    way = engine.steps(AudioDeepfakeInput(recording(sound)), lambda f, _: fractions.append(f))
    units = next(way)
    try:
        while True:
            assert len(units) <= 32
            units = way.send([0.25] * len(units))
    except StopIteration as end:
        result = end.value
    assert len(result.windows) == 900
    assert result.score == 0.25
    assert result.label == "real"
    assert fractions == sorted(fractions)
    assert len(fractions) == 29


def test_a_cancelled_recording_stops(engine: AudioClassifierEngine) -> None:
    def progress(fraction: float, stage: str) -> None:
        raise Stopped("nobody waits")

    with pytest.raises(Stopped):
        engine.run(AudioDeepfakeInput(recording(voice(2.0))), progress)


# Input that cannot be judged


@pytest.mark.parametrize(
    ("samples", "says"),
    [
        (np.zeros((0, 1), np.float32), "0.000 s long"),
        (voice(0.099)[:, None], "0.099 s long"),
        (np.zeros((64_000, 2), np.float32), "silent"),
        (np.full((64_000, 1), 1e-6, np.float32), "silent"),
        (np.full((64_000, 1), np.nan, np.float32), "no numbers"),
    ],
)
def test_what_cannot_be_judged_is_refused(
    engine: AudioClassifierEngine, samples: Any, says: str
) -> None:
    with pytest.raises(InvalidInput, match=says) as caught:
        engine.run(AudioDeepfakeInput(Audio(samples, 16000)))
    assert caught.value.param == "audio"


def test_a_single_bad_sample_is_refused(engine: AudioClassifierEngine) -> None:
    sound = voice(10.0)
    sound[100_000] = np.inf
    with pytest.raises(InvalidInput, match="no numbers"):
        engine.run(AudioDeepfakeInput(recording(sound)))


# Formats and lifecycle


@pytest.mark.parametrize(("dtype", "error"), [("bf16", 0.03), ("fp16", 0.01), ("int8", 0.03)])
def test_other_formats_answer_nearly_the_same(
    folder: Path, engine: AudioClassifierEngine, dtype: str, error: float
) -> None:
    other = loaded(folder, dtype=dtype)
    for seed in range(3):
        audio = recording(voice(5.0, seed=seed))
        assert judge(other, audio).score == pytest.approx(judge(engine, audio).score, abs=error)


def test_it_loads_again_after_unloading(folder: Path, engine: AudioClassifierEngine) -> None:
    other = loaded(folder)
    audio = recording(voice(3.0))
    assert other.bytes_estimate() > (folder / "model.safetensors").stat().st_size
    other.unload()
    other.unload()
    other.load(quiet)
    assert judge(other, audio).score == judge(engine, audio).score
