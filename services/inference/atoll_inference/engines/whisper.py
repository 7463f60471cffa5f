"""Whisper on CTranslate2, with the parts around it from faster-whisper: the default everywhere."""

import gc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray

from atoll_inference.engines.base import BatchLimits, Dtype, LoadFailed, Progress, Unit
from atoll_inference.engines.converted import ctranslate2_folder, is_ctranslate2
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.torch_runtime import memory_errors
from atoll_inference.engines.weights import stored_parameters
from atoll_inference.engines.whisper_steps import (
    FRAMES,
    Heard,
    WhisperSteps,
    Window,
    grouped,
    hear_silence,
    window_bytes,
)
from atoll_inference.engines.whisper_tokens import CONTEXT, WhisperTokens
from atoll_inference.engines.whisper_words import align_words

BATCH = 8
"""Chunks in a forward pass."""

_CPU: dict[Dtype, str] = {
    "auto": "int8",
    "int8": "int8",
    "fp32": "float32",
    "fp16": "float16",
    "bf16": "bfloat16",
}
_GPU: dict[Dtype, str] = {**_CPU, "auto": "float16", "int8": "int8_float16"}
_BYTES = {"int8": 1.1, "int8_float16": 1.1, "float32": 4, "float16": 2, "bfloat16": 2}
_BESIDE = ("tokenizer.json", "preprocessor_config.json")
_NGRAM = 4
"""Tokens in a row that may not come twice where a first answer went round in circles."""


class WhisperEngine(WhisperSteps):
    """A Whisper checkpoint of any size, in CTranslate2's format or as transformers safetensors.

    Decoding is greedy unless a temperature is asked for. DTYPE `auto` is int8 on a CPU and fp16 on
    a GPU.
    """

    def __init__(self, folder: Path, runtime: Runtime) -> None:
        """Raises: LoadFailed, when `runtime` names a GPU that is not there."""
        self._folder = folder
        self._runtime = runtime
        self.device = _device(runtime)
        self._compute_type = (_CPU if self.device == "cpu" else _GPU)[runtime.dtype]
        self._model: Any = None
        self._tokens: WhisperTokens | None = None
        self._extractor: FeatureExtractor | None = None

    @property
    def limits(self) -> BatchLimits:
        return BatchLimits(count=BATCH, size=BATCH)

    @property
    def tokens_of_model(self) -> WhisperTokens:
        assert self._tokens is not None
        return self._tokens

    @property
    def is_multilingual(self) -> bool:
        return bool(self._model.is_multilingual)

    def bytes_estimate(self) -> int:
        if is_ctranslate2(self._folder):
            weights = (self._folder / "model.bin").stat().st_size
        else:
            weights = int(stored_parameters(self._folder) * _BYTES[self._compute_type])
        return weights + BATCH * window_bytes(self._folder, 4 if self.device == "cpu" else 2)

    def load(self, progress: Progress) -> None:
        kind, index = _place(self.device)
        supported = ctranslate2.get_supported_compute_types(kind, index)
        if self._compute_type not in supported:
            raise LoadFailed(
                f"DTYPE {self._runtime.dtype} needs {self._compute_type}, and {self.device} here "
                f"computes {', '.join(sorted(supported))}. Set DTYPE to auto."
            )
        tokens = WhisperTokens(self._folder)
        progress(0.0, "converting")
        folder = ctranslate2_folder(
            self._folder, self._runtime, self._compute_type, copy_files=_BESIDE
        )
        progress(0.6, "loading")
        try:
            with memory_errors():
                model = ctranslate2.models.Whisper(
                    str(folder),
                    device=kind,
                    device_index=index,
                    compute_type=self._compute_type,
                    intra_threads=self._runtime.threads,
                    inter_threads=1,
                )
        except (RuntimeError, ValueError) as error:
            raise LoadFailed(
                f"{folder} cannot be loaded: {error}. Fetch the checkpoint again."
            ) from error
        self._model, self._tokens = model, tokens
        self._extractor = FeatureExtractor(feature_size=model.n_mels)
        progress(1.0, "loaded")

    def warmup(self) -> None:
        hear_silence(self)

    def unload(self) -> None:
        self._model = self._tokens = self._extractor = None
        gc.collect()

    def extract(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        assert self._extractor is not None
        features: NDArray[np.float32] = self._extractor(samples)[:, :FRAMES]
        return features

    def forward(self, units: Sequence[Unit]) -> list[Any]:
        outputs: list[Any] = [None] * len(units)
        with memory_errors():
            for indices in grouped([unit.data for unit in units]):
                heard = self._hear([units[index].data for index in indices])
                for index, answer in zip(indices, heard, strict=True):
                    outputs[index] = answer
        return outputs

    def _hear(self, windows: Sequence[Window]) -> list[Heard]:
        """Decode windows that `grouped` put together."""
        tokens = self.tokens_of_model
        encoded = self._encode(windows)
        found: list[dict[str, float]] = [{} for _ in windows]
        languages = [window.language for window in windows]
        if self.is_multilingual and languages[0] is None:
            found = [
                {token[2:-2]: probability for token, probability in pairs}
                for pairs in self._model.detect_language(encoded)
            ]
            languages = [max(f, key=f.__getitem__) for f in found]
        prompts = [
            [*window.prompt, *tokens.known(language).sot_sequence]
            for window, language in zip(windows, languages, strict=True)
        ]
        results = self._decode(encoded, prompts, windows[0].temperature)
        circling = [i for i, r in enumerate(results) if tokens.is_repetitive(r.sequences_ids[0])]
        if circling:
            again = self._decode(
                self._encode([windows[i] for i in circling]),
                [prompts[i] for i in circling],
                windows[0].temperature,
                no_repeat_ngram_size=_NGRAM,
            )
            for i, result in zip(circling, again, strict=True):
                results[i] = result
        phrases = [
            tokens.phrases(result.sequences_ids[0], window.seconds)
            for result, window in zip(results, windows, strict=True)
        ]
        words: list[list[Any]] = [[] for _ in windows]
        if windows[0].word_times:
            words = align_words(
                self._model.align,
                tokens.known(languages[0]),
                encoded,
                [
                    [t for phrase in found_phrases for t in phrase.tokens]
                    for found_phrases, _ in phrases
                ],
                [window.seconds for window in windows],
            )
        return [
            Heard(
                phrases=phrases[i][0],
                resume=phrases[i][1],
                language=languages[i],
                languages=found[i],
                log_probability=_mean_log_probability(result),
                no_speech=float(result.no_speech_prob),
                words=words[i],
            )
            for i, result in enumerate(results)
        ]

    def _encode(self, windows: Sequence[Window]) -> Any:
        features = np.stack([window.features for window in windows]).astype(np.float32, copy=False)
        return self._model.encode(ctranslate2.StorageView.from_array(features))

    def _decode(
        self, encoded: Any, prompts: list[list[int]], temperature: float, **options: Any
    ) -> list[Any]:
        sampling = {"sampling_topk": 0, "sampling_temperature": temperature} if temperature else {}
        return list(
            self._model.generate(
                encoded,
                prompts,
                beam_size=1,
                max_length=CONTEXT,
                return_scores=True,
                return_no_speech_prob=True,
                **sampling,
                **options,
            )
        )


def _mean_log_probability(result: Any) -> float:
    """Over the tokens and the one that ends them."""
    length = len(result.sequences_ids[0])
    return float(result.scores[0]) * length / (length + 1)


def _device(runtime: Runtime) -> str:
    if runtime.device == "cpu":
        return "cpu"
    count = ctranslate2.get_cuda_device_count()
    if runtime.device == "auto":
        return "cuda:0" if count else "cpu"
    index = int(runtime.device.removeprefix("cuda:"))
    if index >= count:
        raise LoadFailed(
            f"DEVICE says {runtime.device}, and CTranslate2 sees {count} GPUs here. Set DEVICE to "
            "cpu or to a GPU that is there."
        )
    return runtime.device


def _place(device: str) -> tuple[str, int]:
    kind, _, index = device.partition(":")
    return kind, int(index or 0)
