"""Fine-tunes WavLM, wav2vec 2.0 or HuBERT to tell real recordings from fake ones."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from atoll_inference.engines.audio_classifier import (
    FAMILIES,
    SHORTEST_SECONDS,
    AudioClassifierEngine,
)
from atoll_inference.engines.base import EngineError, LoadFailed
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.sound_windows import (
    PREPROCESSOR,
    SILENCE,
    SoundInput,
    loudness,
    read_sound_input,
)
from atoll_inference.engines.tasks.sound import AudioDeepfakeInput
from atoll_inference.engines.weights import load_pretrained
from atoll_inference.finetune import FinetuneFailed
from atoll_inference.finetune.recipe import Job, Options, Recipe, Say
from atoll_inference.finetune.report import Report
from atoll_inference.finetune.samples import LABELS
from atoll_inference.finetune.training import finetune
from atoll_inference.media.audio import Audio, decode_audio
from atoll_inference.media.errors import Undecodable
from atoll_inference.media.limits import MediaLimits

# After audio_classifier, which makes it importable.
import transformers  # isort: skip

_ENDINGS = ("Model", "ForPreTraining")
_PRETRAINING_HEADS = ("quantizer.", "project_hid.", "project_q.", "lm_head.", "label_embeddings")
_NOISE_SHARE = 0.3
_FEATURE_SECONDS = 30


def make_recipe(models_dir: Path) -> Recipe:
    """The recipe with its usual settings."""
    return AudioDeepfakeRecipe()


def finetune_audio_deepfake(
    data: Path,
    base: Path,
    output: Path,
    *,
    epochs: int = 20,
    batch: int = 8,
    seed: int = 0,
    learning_rate: float = 5e-5,
    patience: int = 4,
    resume: bool = False,
    freeze: bool = False,
    device: str = "auto",
    threads: int | None = None,
    window_seconds: float = 4.0,
    say: Say = print,
) -> Report:
    """Train a judge of recordings; see `Options` and `finetune`.

    Args:
        data: folder with `real/` and `fake/`, of recordings in any format that is decoded.
        base: a checkpoint without a head, such as microsoft/wavlm-base-plus.
        output: the folder to write, which must not exist.
        window_seconds: length of the pieces that are learnt from and judged.

    Raises:
        FinetuneFailed: the message is one line and says what to do.
    """
    options = Options(
        epochs=epochs,
        batch=batch,
        seed=seed,
        learning_rate=learning_rate,
        patience=patience,
        resume=resume,
        freeze=freeze,
        device=device,
        threads=threads,
    )
    recipe = AudioDeepfakeRecipe(window_seconds)
    job = Job(recipe=recipe, data=data, base=base, output=output, options=options, say=say)
    return finetune(job)


class AudioDeepfakeRecipe(Recipe):
    """Learns from one random window of each recording an epoch, at a varied level and sometimes
    with a little noise added; judges by all windows, as the engine does."""

    task = "audio_deepfake"
    feature_names = ("duration", "RMS level", "bandwidth", "spectral tilt")
    head = ("projector.", "classifier.", "layer_weights")

    def __init__(self, window_seconds: float = 4.0) -> None:
        self._input = SoundInput(window_seconds=window_seconds, repeat_short=True)

    def takes(self, config: dict[str, Any]) -> bool:
        return _family(config) is not None

    def settings(self) -> dict[str, Any]:
        return {"window_seconds": self._input.window_seconds}

    def load(self, base: Path) -> Any:
        config = json.loads((base / "config.json").read_text("utf-8"))
        family = _family(config)
        if family is None:
            raise FinetuneFailed(
                f"{base} is a {(config.get('architectures') or ['nameless model'])[0]}. --base "
                f"names a checkpoint of {', '.join(FAMILIES)} without a head, such as "
                "microsoft/wavlm-base-plus."
            )
        try:
            self._input = read_sound_input(base).model_copy(
                update={"window_seconds": self._input.window_seconds, "repeat_short": True}
            )
            body = load_pretrained(
                getattr(transformers, f"{family}Model"),
                base,
                torch.float32,
                ignored=_PRETRAINING_HEADS,
            )
        except LoadFailed as error:
            raise FinetuneFailed(str(error)) from error
        settings = body.config
        settings.id2label = dict(enumerate(LABELS))
        settings.label2id = {label: index for index, label in enumerate(LABELS)}
        settings.use_weighted_layer_sum = True
        settings.apply_spec_augment = False
        model = getattr(transformers, f"{family}ForSequenceClassification")(settings)
        prefix = model.base_model_prefix
        getattr(model, prefix).load_state_dict(body.state_dict())
        self.fixed = (f"{prefix}.feature_extractor.",)
        return model

    def features(self, path: Path) -> tuple[float, ...]:
        samples = self._samples(path)
        seconds = len(samples) / self._input.sampling_rate
        if seconds < SHORTEST_SECONDS:
            raise Undecodable(f"it is {seconds:.3f} s long, and {SHORTEST_SECONDS} s is the least")
        if not self._input.windows(samples):
            raise Undecodable("it is silent")
        part = samples[: _FEATURE_SECONDS * self._input.sampling_rate]
        return (seconds, 20 * math.log10(loudness(samples)), *_spectrum(part))

    def training_input(self, path: Path, rng: np.random.Generator) -> NDArray[np.float32]:
        samples = self._samples(path)
        window = self._input.window
        if len(samples) < window:
            part = np.roll(np.resize(samples, window), rng.integers(window))
        else:
            for _ in range(8):
                start = rng.integers(len(samples) - window + 1)
                part = samples[start : start + window]
                if loudness(part) >= SILENCE:
                    break
        part = part * np.float32(10 ** (rng.uniform(-6, 6) / 20))
        if rng.random() < _NOISE_SHARE:
            level = loudness(part) * 10 ** (-rng.uniform(20, 40) / 20)
            part = part + np.float32(level) * rng.standard_normal(window, np.float32)
        return self._input.values(part)

    def judged_inputs(self, path: Path) -> list[NDArray[np.float32]]:
        samples = self._samples(path)
        windows = self._input.windows(samples)
        return [self._input.values(samples[w.start : w.end]) for w in windows]

    def tensors(self, inputs: Sequence[NDArray[np.float32]]) -> dict[str, torch.Tensor]:
        return {"input_values": torch.from_numpy(np.stack(inputs))}

    def overall(self, scores: Sequence[float]) -> float:
        return float(np.mean(scores))

    def save_processing(self, base: Path, target: Path) -> None:
        content = json.loads((base / PREPROCESSOR).read_text("utf-8"))
        content |= self._input.model_dump(mode="json")
        (target / PREPROCESSOR).write_text(json.dumps(content, indent=2) + "\n", "utf-8")

    def judge(self, checkpoint: Path, runtime: Runtime) -> Callable[[Path], float]:
        engine = AudioClassifierEngine(checkpoint, runtime)
        try:
            engine.load(lambda fraction, stage: None)
        except EngineError as error:
            raise FinetuneFailed(f"The finished checkpoint does not load: {error}") from error

        def score(path: Path) -> float:
            result = engine.run(AudioDeepfakeInput(_decoded(path)))
            return float(result.score)

        return score

    def _samples(self, path: Path) -> NDArray[np.float32]:
        return self._input.heard(_decoded(path))


def _decoded(path: Path) -> Audio:
    return decode_audio(path, MediaLimits())


def _family(config: dict[str, Any]) -> str | None:
    names = config.get("architectures")
    name = str(names[0]) if isinstance(names, list) and names else ""
    return next((f for f in FAMILIES for e in _ENDINGS if name == f + e), None)


def _spectrum(samples: NDArray[np.float32]) -> tuple[float, float]:
    """Bandwidth: below what part of the spectrum 95 % of the power lies, in [0, 1]. Tilt: how the
    power falls towards high frequencies, in dB for each doubling."""
    size = min(1024, len(samples))
    count = len(samples) // size
    frames = samples[: count * size].reshape(count, size) * np.hanning(size)
    power = np.square(np.abs(np.fft.rfft(frames))).mean(axis=0)[1:] + 1e-12
    bandwidth = float(np.searchsorted(np.cumsum(power), 0.95 * power.sum()) / len(power))
    octaves = np.log2(np.arange(1, len(power) + 1))
    tilt = float(np.polyfit(octaves, 10 * np.log10(power), 1)[0])
    return bandwidth, tilt
