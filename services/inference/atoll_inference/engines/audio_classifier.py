"""Audio deepfake detection with WavLM, wav2vec 2.0 or HuBERT and a head for real and fake."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from atoll_inference.engines.base import (
    BatchEngine,
    BatchLimits,
    EngineError,
    InvalidInput,
    LoadFailed,
    Progress,
    Steps,
    Unit,
)
from atoll_inference.engines.detector_head import read_head
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.sound_windows import SoundInput, read_sound_input
from atoll_inference.engines.tasks.sound import (
    AudioDeepfakeInput,
    AudioDeepfakeResult,
    WindowScore,
)
from atoll_inference.engines.torch_int8 import OVERHEAD_BYTES, quantise_linear
from atoll_inference.engines.torch_runtime import (
    memory_errors,
    prepare,
    release,
    torch_device,
    torch_dtype,
)
from atoll_inference.engines.torchaudio_stub import let_torchaudio_import
from atoll_inference.engines.weights import load_pretrained

let_torchaudio_import()

import transformers  # noqa: E402

REMEDY = (
    "Train one with `atoll-inference finetune audio_deepfake --data DIR`, or use a checkpoint "
    "whose labels are real and fake."
)

FAMILIES = ("WavLM", "Wav2Vec2", "Hubert")
"""Beginnings of the class names in transformers; their models take samples."""

SHORTEST_SECONDS = 0.1

_ROUND = 32
_BATCH_BYTES = 2**28
_HEAD = "ForSequenceClassification"


class AudioClassifierEngine(BatchEngine):
    """Says how likely a recording is fake.

    The recording is mixed to mono, resampled and cut into windows side by side, of 4 s unless the
    checkpoint says otherwise, the last one aligned to the end. Each gets the probability that it
    is fake; silent windows get none. The score of the recording is the mean of those of its
    windows, and 0.5 or more is called fake.

    Args:
        folder: a transformers checkpoint with config.json, model.safetensors and
            preprocessor_config.json. Its two labels may go by other names for real and fake
            (see `real_and_fake`).
        runtime: with `int8` the weights of linear layers are quantised, on a CPU; for WavLM those
            outside attention only, as transformers' attention for it needs them in floats.
    """

    concurrency = 16

    def __init__(self, folder: Path, runtime: Runtime) -> None:
        self._folder = folder
        self._runtime = runtime
        self._torch_device = torch_device(runtime)
        self._dtype = torch_dtype(runtime)
        self.device = str(self._torch_device)
        self._input = SoundInput()
        self._model: Any = None
        self._fake = 1

    @property
    def limits(self) -> BatchLimits:
        """Bounds of one forward pass, in samples."""
        count = 32 if self._torch_device.type != "cpu" else 1 if self._is_int8 else 4
        return BatchLimits(count, count * self._input.window)

    def bytes_estimate(self) -> int:
        """The weights in the format they will have, and a batch on its way through them."""
        files = sum(file.stat().st_size for file in self._folder.glob("*.safetensors"))
        if self._is_int8:
            # The larger part of the weights shrinks to a quarter.
            return int(files * 0.7) + OVERHEAD_BYTES + _BATCH_BYTES
        return int(files * self._dtype.itemsize / 4) + _BATCH_BYTES

    def load(self, progress: Progress) -> None:
        progress(0.0, "reading")
        if self._is_int8 and self._torch_device.type != "cpu":
            raise LoadFailed(
                f"{self._folder} runs in int8 on a CPU only. Set DTYPE to auto for {self.device}."
            )
        prepare(self._runtime)
        architecture, fake = read_head(self._folder, families=FAMILIES, head=_HEAD, remedy=REMEDY)
        sound = read_sound_input(self._folder)
        model = load_pretrained(getattr(transformers, architecture), self._folder, self._dtype)
        progress(0.7, "preparing")
        if self._is_int8:
            in_floats = "attention" if architecture.startswith("WavLM") else "\0"
            quantise_linear(model, lambda name: in_floats not in name)
            self.release()
        with memory_errors():
            self._model = model.to(self._torch_device)
        self._input, self._fake = sound, fake
        progress(1.0, "ready")

    def warmup(self) -> None:
        rng = np.random.default_rng(0)
        noise = 0.1 * rng.standard_normal(self._input.window, np.float32)
        try:
            self.forward([Unit(self._input.values(noise), self._input.window)])
        except EngineError as error:
            raise LoadFailed(f"{self._folder} loads and does not answer: {error}") from error

    def unload(self) -> None:
        self._model = None
        self.release()

    def release(self) -> None:
        release(self._torch_device)

    def forward(self, units: Sequence[Unit]) -> list[Any]:
        """The probability of fake of each window.

        Windows of unequal length go through the model one length after the other: models with
        group normalisation hear padding, also where a mask covers it.
        """
        assert self._model is not None, "load comes first"
        outputs: list[Any] = [None] * len(units)
        lengths: dict[int, list[int]] = {}
        for index, unit in enumerate(units):
            lengths.setdefault(len(unit.data), []).append(index)
        for indexes in lengths.values():
            scores = self._judge(np.stack([units[index].data for index in indexes]))
            for index, score in zip(indexes, scores, strict=True):
                outputs[index] = score
        return outputs

    def steps(self, item: AudioDeepfakeInput, progress: Progress) -> Steps:
        """Windows of a recording in rounds; yields one unit for each that is not silent.

        Raises:
            InvalidInput: the recording is too short, silent, or has samples that are no numbers.
        """
        audio, sound = item.audio, self._input
        if audio.seconds < SHORTEST_SECONDS:
            raise InvalidInput(
                f"The recording is {audio.seconds:.3f} s long; {SHORTEST_SECONDS} s is the least "
                "that can be judged. Send a longer one.",
                "audio",
            )
        samples = sound.heard(audio)
        if not np.isfinite(samples.sum()):
            raise InvalidInput(
                "The recording holds samples that are no numbers. Export it again, as 16-bit PCM "
                "for example.",
                "audio",
            )
        windows = sound.windows(samples)
        if not windows:
            raise InvalidInput(
                "The recording is silent, so there is nothing to judge. Send one with a voice in "
                "it.",
                "audio",
            )
        scores: list[float] = []
        for first in range(0, len(windows), _ROUND):
            progress(first / len(windows), "judging")
            parts = [samples[w.start : w.end] for w in windows[first : first + _ROUND]]
            values = [sound.values(part) for part in parts]
            scores += yield [Unit(value, len(value)) for value in values]
        rate = sound.sampling_rate
        score = float(np.mean(scores))
        return AudioDeepfakeResult(
            label="fake" if score >= 0.5 else "real",
            score=score,
            scores={"real": 1 - score, "fake": score},
            windows=tuple(
                WindowScore(w.start / rate, w.end / rate, score)
                for w, score in zip(windows, scores, strict=True)
            ),
        )

    @property
    def _is_int8(self) -> bool:
        return self._runtime.dtype == "int8"

    def _judge(self, values: NDArray[np.float32]) -> list[float]:
        with torch.inference_mode(), memory_errors():
            tensor = torch.from_numpy(values).to(self._torch_device, self._dtype)
            logits = self._model(input_values=tensor).logits.float()
            scores: list[float] = logits.softmax(-1)[:, self._fake].tolist()
        if not np.isfinite(scores).all():
            raise EngineError(
                f"The model of {self._folder.name} gave no numbers in {self._runtime.dtype}. "
                "Set DTYPE to fp32."
            )
        return scores
