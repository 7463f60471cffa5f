"""Whisper on transformers: what the faster runtime is checked against, and for other dtypes."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from atoll_inference.engines.base import BatchLimits, LoadFailed, Progress, Unit
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.torch_runtime import (
    memory_errors,
    prepare,
    release,
    torch_device,
    torch_dtype,
)
from atoll_inference.engines.torchaudio_stub import let_torchaudio_import
from atoll_inference.engines.weights import load_pretrained, stored_parameters
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

let_torchaudio_import()

from transformers import (  # noqa: E402
    GenerationConfig,
    LogitsProcessor,
    SuppressTokensAtBeginLogitsProcessor,
    SuppressTokensLogitsProcessor,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperTimeStampLogitsProcessor,
)
from transformers.generation import GenerationMixin  # noqa: E402
from transformers.models.whisper.generation_whisper import (  # noqa: E402
    _dynamic_time_warping,
    _median_filter,
)

BATCH = 8
"""Chunks in a forward pass."""

_RATE = 16_000
_NGRAM = 4
_ENGLISH_TOKENS = 51864


class WhisperReferenceEngine(WhisperSteps):
    """A transformers Whisper checkpoint of any size, with safetensors.

    Decoding follows the rules of `WhisperForConditionalGeneration.generate` for one window with
    times: the same suppressed tokens and the same order of times, greedy unless a temperature is
    asked for.
    """

    def __init__(self, folder: Path, runtime: Runtime) -> None:
        """Raises: LoadFailed, when `runtime` names a GPU that is not there."""
        self._folder = folder
        self._runtime = runtime
        self._device = torch_device(runtime)
        self._dtype = torch_dtype(runtime)
        self.device = str(self._device)
        self._model: Any = None
        self._tokens: WhisperTokens | None = None
        self._extractor: Any = None

    @property
    def limits(self) -> BatchLimits:
        return BatchLimits(count=BATCH, size=BATCH)

    @property
    def tokens_of_model(self) -> WhisperTokens:
        assert self._tokens is not None
        return self._tokens

    @property
    def is_multilingual(self) -> bool:
        return bool(self._model.config.vocab_size > _ENGLISH_TOKENS)

    def bytes_estimate(self) -> int:
        size = self._dtype.itemsize
        return stored_parameters(self._folder) * size + BATCH * window_bytes(self._folder, size)

    def load(self, progress: Progress) -> None:
        if self._runtime.dtype == "int8":
            raise LoadFailed(
                "Whisper in int8 runs on CTranslate2; this runtime computes fp32, fp16 and bf16."
            )
        progress(0.0, "loading")
        prepare(self._runtime)
        tokens = WhisperTokens(self._folder)
        with memory_errors():
            model = load_pretrained(WhisperForConditionalGeneration, self._folder, self._dtype)
            self._model = model.to(self._device)
        self._tokens = tokens
        extractor: Any = WhisperFeatureExtractor
        self._extractor = extractor(feature_size=model.config.num_mel_bins)
        progress(1.0, "loaded")

    def warmup(self) -> None:
        hear_silence(self)

    def unload(self) -> None:
        self._model = self._tokens = self._extractor = None
        release(self._device)

    def release(self) -> None:
        release(self._device)

    def extract(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        found = self._extractor(samples, sampling_rate=_RATE, return_tensors="np")
        features: NDArray[np.float32] = found.input_features[0, :, :FRAMES]
        return features

    def forward(self, units: Sequence[Unit]) -> list[Any]:
        outputs: list[Any] = [None] * len(units)
        with memory_errors(), torch.inference_mode():
            for indices in grouped([unit.data for unit in units]):
                heard = self._hear([units[index].data for index in indices])
                for index, answer in zip(indices, heard, strict=True):
                    outputs[index] = answer
        return outputs

    def _hear(self, windows: Sequence[Window]) -> list[Heard]:
        tokens = self.tokens_of_model
        encoded = self._encode(windows)
        before = torch.tensor([[*w.prompt, tokens.start] for w in windows], device=self._device)
        first = self._logits(encoded, before)[:, -1].float()
        no_speech = first.softmax(-1)[:, tokens.no_speech].tolist()
        found: list[dict[str, float]] = [{} for _ in windows]
        languages = [window.language for window in windows]
        if self.is_multilingual and languages[0] is None:
            codes = tokens.languages()
            shares = first[:, list(codes.values())].softmax(-1).tolist()
            found = [dict(zip(codes, row, strict=True)) for row in shares]
            languages = [max(f, key=f.__getitem__) for f in found]
        prompts = torch.tensor(
            [
                [*window.prompt, *tokens.known(language).sot_sequence]
                for window, language in zip(windows, languages, strict=True)
            ],
            device=self._device,
        )
        temperature = windows[0].temperature
        answers, sure = self._decode(encoded, prompts, temperature)
        circling = [i for i, answer in enumerate(answers) if tokens.is_repetitive(answer)]
        if circling:
            again, sure_again = self._decode(
                encoded[circling], prompts[circling], temperature, _NGRAM
            )
            for place, i in enumerate(circling):
                answers[i], sure[i] = again[place], sure_again[place]
        split = [
            tokens.phrases(answer, window.seconds)
            for answer, window in zip(answers, windows, strict=True)
        ]
        words: list[list[Any]] = [[] for _ in windows]
        if windows[0].word_times:
            words = align_words(
                self._align,
                tokens.known(languages[0]),
                encoded,
                [[token for phrase in phrases for token in phrase.tokens] for phrases, _ in split],
                [window.seconds for window in windows],
            )
        return [
            Heard(
                phrases=split[i][0],
                resume=split[i][1],
                language=languages[i],
                languages=found[i],
                log_probability=sure[i],
                no_speech=no_speech[i],
                words=words[i],
            )
            for i in range(len(windows))
        ]

    def _encode(self, windows: Sequence[Window]) -> torch.Tensor:
        features = torch.from_numpy(np.stack([window.features for window in windows]))
        features = features.to(self._device, self._dtype)
        encoded: torch.Tensor = self._model.model.encoder(features).last_hidden_state
        return encoded

    def _logits(self, encoded: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self._model(
            encoder_outputs=(encoded,), decoder_input_ids=tokens, use_cache=False
        ).logits
        return logits

    def _decode(
        self, encoded: torch.Tensor, prompts: torch.Tensor, temperature: float, ngram: int = 0
    ) -> tuple[list[list[int]], list[float]]:
        """Tokens after the prompts, and their mean log probabilities."""
        rules = self._model.generation_config
        end = self.tokens_of_model.end
        begin = prompts.shape[1]
        confidence = _Confidence(end)
        processors: list[Any] = [
            SuppressTokensAtBeginLogitsProcessor(
                rules.begin_suppress_tokens or [], begin, device=self.device
            ),
            SuppressTokensLogitsProcessor(rules.suppress_tokens or [], device=self.device),
            WhisperTimeStampLogitsProcessor(self._time_rules(), begin),
            confidence,
        ]
        config: Any = GenerationConfig
        sequences = GenerationMixin.generate(
            self._model,
            encoder_outputs=(encoded,),
            decoder_input_ids=prompts,
            logits_processor=processors,
            generation_config=config(
                max_length=CONTEXT,
                do_sample=temperature > 0,
                **({"temperature": temperature, "top_k": 0} if temperature > 0 else {}),
                num_beams=1,
                no_repeat_ngram_size=ngram,
                eos_token_id=end,
                pad_token_id=end,
                decoder_start_token_id=self.tokens_of_model.start,
            ),
        )
        answers = []
        for row in sequences[:, begin:].tolist():
            answers.append(row[: row.index(end)] if end in row else row)
        return answers, confidence.means(sequences)

    def _time_rules(self) -> Any:
        return SimpleNamespace(
            no_timestamps_token_id=self.tokens_of_model.no_timestamps,
            eos_token_id=self.tokens_of_model.end,
            max_initial_timestamp_index=50,
        )

    def _align(
        self,
        encoded: torch.Tensor,
        start: list[int],
        texts: list[list[int]],
        frames: list[int],
        median_filter_width: int,
    ) -> list[Any]:
        """See `whisper_words.Align`; as OpenAI's `timing.py`, on one window after another."""
        tokens = self.tokens_of_model
        config = self._model.config
        heads = getattr(self._model.generation_config, "alignment_heads", None) or [
            (layer, head)
            for layer in range(config.decoder_layers // 2, config.decoder_layers)
            for head in range(config.decoder_attention_heads)
        ]
        usual = config._attn_implementation
        self._model.set_attn_implementation("eager")  # the one that tells where it looked
        try:
            results = []
            for i, text in enumerate(texts):
                ids = torch.tensor([[*start, tokens.no_timestamps, *text, tokens.end]])
                out = self._model(
                    encoder_outputs=(encoded[i : i + 1],),
                    decoder_input_ids=ids.to(self._device),
                    output_attentions=True,
                    use_cache=False,
                )
                looked = torch.stack(
                    [out.cross_attentions[layer][0, head] for layer, head in heads]
                )
                looked = looked[..., : frames[i] // 2].float()
                looked = looked / looked.sum(-1, keepdim=True)
                std, mean = torch.std_mean(looked, dim=-2, keepdim=True, unbiased=False)
                matrix = _median_filter((looked - mean) / std, median_filter_width).mean(0)
                matrix = matrix[len(start) : -1]
                rows, columns = _dynamic_time_warping(-matrix.cpu().double().numpy())
                chances = out.logits[0, len(start) : -2, : tokens.end].float().softmax(-1)
                shares = chances.gather(-1, torch.tensor(text, device=self._device)[:, None])
                results.append(
                    SimpleNamespace(
                        alignments=list(zip(rows.tolist(), columns.tolist(), strict=True)),
                        text_token_probs=shares[:, 0].tolist(),
                    )
                )
            return results
        finally:
            self._model.set_attn_implementation(usual)


class _Confidence(LogitsProcessor):
    """Watches the generation and adds up the log probabilities of the tokens chosen."""

    def __init__(self, end: int) -> None:
        self._end = end
        self._scores: torch.Tensor | None = None
        self._total: Any = 0.0
        self._count: Any = 0
        self._open: Any = True

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        self._add(input_ids)
        self._scores = scores.float().log_softmax(-1)
        return scores

    def means(self, sequences: torch.Tensor) -> list[float]:
        """For the finished sequences, over their tokens and the one that ends them."""
        self._add(sequences)
        means: list[float] = (self._total / self._count).tolist()
        return means

    def _add(self, input_ids: torch.Tensor) -> None:
        if self._scores is None:
            return
        chosen = input_ids[:, -1]
        gained = self._scores.gather(-1, chosen[:, None])[:, 0]
        still = torch.ones_like(chosen, dtype=torch.bool) & self._open
        self._total = self._total + torch.where(still, gained, 0.0)
        self._count = self._count + still.int()
        self._open = still & (chosen != self._end)
