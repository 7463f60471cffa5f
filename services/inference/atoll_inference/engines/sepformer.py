"""Audio denoising with SepFormer, over recordings of any length, rate and number of channels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

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
from atoll_inference.engines.crossfade import Joiner, Windows, cut
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.sepformer_model import (
    SepformerConfig,
    SepformerModel,
    empty_model,
    quicken,
    read_config,
)
from atoll_inference.engines.tasks.sound import DenoiseInput, DenoiseResult
from atoll_inference.engines.torch_int8 import OVERHEAD_BYTES, quantise_linear
from atoll_inference.engines.torch_runtime import (
    memory_errors,
    prepare,
    release,
    torch_device,
    torch_dtype,
)
from atoll_inference.engines.weights import check_state, tensor_shapes
from atoll_inference.media.audio import Audio, resample
from atoll_inference.media.spool import SampleSpool

WINDOW_SECONDS = 4.0
FADE_SECONDS = 0.5

_SILENCE = 1e-6
_WINDOW_BYTES = 160 * 2**20
_BLOCK = 2**18


class SepformerEngine(BatchEngine):
    """Leaves the speech of a recording and takes the rest away.

    The model hears one channel at its own rate, 8000 Hz for sepformer-wham, so what the recording
    has above half of that is lost. Each channel is cut into windows of up to 4 s that overlap by
    half a second or more. Every window is brought to the same level before the model and back
    after it, and neighbours are crossfaded.

    A model with one source (sepformer-wham-enhancement) gives the speech. One with more
    (sepformer-wham separates two speakers) gives each speaker, all of them speech, with the noise
    in none; the answer is their sum, in which it does not matter that speakers may change places
    from one window to the next.

    Such models are trained with a loss that is blind to loudness, so their output has no level of
    its own. The answer gets the one gain, over all windows and channels, with which it is closest
    to the recording in the sense of least squares. Where noise and speech have nothing in common
    this is the gain with which the speech is as loud as it was; it never makes the whole louder
    than the recording. Should samples still come out above full scale, the whole is turned down.

    Args:
        folder: a checkpoint with config.json (see `SepformerConfig`) and model.safetensors.
        runtime: `fp16` and `bf16` apply to the transformers alone, `int8` to their weights on a
            CPU; `auto` is fp32 everywhere.
    """

    concurrency = 8

    def __init__(self, folder: Path, runtime: Runtime) -> None:
        self._folder = folder
        self._runtime = runtime
        self._torch_device = torch_device(runtime)
        self.device = str(self._torch_device)
        self._config = SepformerConfig()
        self._model: SepformerModel | None = None

    @property
    def limits(self) -> BatchLimits:
        """A forward pass of a CPU has one window, which keeps both cores busy and is quickly
        over when nobody waits for it any more."""
        count = 1 if self._torch_device.type == "cpu" else 16
        return BatchLimits(count, count * round(self._config.sample_rate * WINDOW_SECONDS * 1.01))

    def bytes_estimate(self) -> int:
        """The weights, and what one window needs on its way through them."""
        files = sum(file.stat().st_size for file in self._folder.glob("*.safetensors"))
        extra = OVERHEAD_BYTES if self._runtime.dtype == "int8" else 0
        return files + extra + self.limits.count * _WINDOW_BYTES

    def load(self, progress: Progress) -> None:
        progress(0.0, "reading")
        if self._runtime.dtype == "int8" and self._torch_device.type != "cpu":
            raise LoadFailed(
                f"{self._folder} runs in int8 on a CPU only. Set DTYPE to auto for {self.device}."
            )
        prepare(self._runtime)
        config = read_config(self._folder)
        found = tensor_shapes(self._folder)
        model = empty_model(config)
        check_state(self._folder, found, model.state_dict())
        weights: dict[str, torch.Tensor] = {}
        for file in sorted(self._folder.glob("*.safetensors")):
            # Copies, as a file that is written over must not change a loaded model.
            weights |= {k: v.float().clone() for k, v in load_file(file).items()}
        model.load_state_dict(weights, assign=True)
        progress(0.6, "preparing")
        model.eval()
        quicken(model)
        if self._runtime.dtype == "int8":
            quantise_linear(model)
            self.release()
        elif self._runtime.dtype in {"fp16", "bf16"}:
            model.inner_dtype = torch_dtype(self._runtime)
        with memory_errors():
            self._model = model.to(self._torch_device)
        self._config = config
        progress(1.0, "ready")

    def warmup(self) -> None:
        rng = np.random.default_rng(0)
        noise = rng.standard_normal(self._config.sample_rate // 2, np.float32)
        try:
            self.forward([Unit(noise, len(noise))])
        except EngineError as error:
            raise LoadFailed(f"{self._folder} loads and does not answer: {error}") from error

    def unload(self) -> None:
        self._model = None
        self.release()

    def release(self) -> None:
        release(self._torch_device)

    def forward(self, units: Sequence[Unit]) -> list[Any]:
        """The speech of each window, float32 of the window's shape (frames,).

        A unit's data is a window at the model's rate with a mean square of about 1. Windows of
        unequal length go through the model one length after the other, because its normalisation
        would take padding for a part of the recording.
        """
        assert self._model is not None, "load comes first"
        outputs: list[Any] = [None] * len(units)
        lengths: dict[int, list[int]] = {}
        for index, unit in enumerate(units):
            lengths.setdefault(len(unit.data), []).append(index)
        for indexes in lengths.values():
            estimates = self._separate(self._model, np.stack([units[i].data for i in indexes]))
            for index, estimate in zip(indexes, estimates, strict=True):
                outputs[index] = estimate
        return outputs

    def steps(self, item: DenoiseInput, progress: Progress) -> Steps:
        """Windows of a recording in rounds; yields units of one channel and window each."""
        audio = item.audio
        if not len(audio.samples):
            raise InvalidInput("The recording has no samples. Send a longer one.", "audio")
        rate = self._config.sample_rate
        heard = resample(audio, rate).samples
        if not len(heard):  # shorter than half a sample of the model's
            heard = audio.samples[:1]
        windows = cut(
            len(heard),
            round(WINDOW_SECONDS * rate),
            round(FADE_SECONDS * rate),
            self._config.kernel_size,
        )
        with SampleSpool(audio.channels) as spool:
            gain = yield from self._rounds(heard, windows, spool, progress)
            # One frame more, so that the way back to the old rate gives enough of them.
            spool.append(np.zeros((1, audio.channels), np.float32))
            speech = Audio(_scaled(spool.finish(), gain), rate)
        progress(1.0, "resampling")
        samples = resample(speech, audio.rate).samples[: len(audio.samples)]
        if (peak := _peak(samples)) > 1:
            samples = _scaled(samples, 1 / peak)
        return DenoiseResult(Audio(samples, audio.rate), rate)

    def _rounds(
        self,
        samples: NDArray[np.float32],
        windows: Windows,
        spool: SampleSpool,
        progress: Progress,
    ) -> Steps:
        """Put the model's estimate into the spool; returns the gain that it needs."""
        joiner = Joiner(windows)
        product = power = 0.0
        done = 0
        at_once = self.limits.count
        for first in range(0, len(windows.starts), at_once):
            progress(first / len(windows.starts), "denoising")
            starts = windows.starts[first : first + at_once]
            cuts = [_Window(samples[start : start + windows.length]) for start in starts]
            units = [unit for window in cuts for unit in window.units]
            outputs = iter((yield units))
            for window in cuts:
                block = joiner.add(window.joined(outputs))
                spool.append(block)
                mixture = samples[done : done + len(block)].astype(np.float64)
                product += float(np.vdot(mixture, block))
                power += float(np.vdot(block, block.astype(np.float64)))
                done += len(block)
        return product / power if power > 0 else 0.0

    def _separate(
        self, model: SepformerModel, mixtures: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        frames = mixtures.shape[1]
        config = self._config
        wanted = max(frames, config.kernel_size)
        wanted += -(wanted - config.kernel_size) % config.stride
        padded = np.pad(mixtures, ((0, 0), (0, wanted - frames)))
        with torch.inference_mode(), memory_errors():
            estimates = model(torch.from_numpy(padded).to(self._torch_device)).sum(0)
            result: NDArray[np.float32] = estimates.float().cpu().numpy()[:, :frames]
        if not np.isfinite(result).all():
            raise EngineError(
                f"The model of {self._folder.name} gave no numbers in "
                f"{self._runtime.dtype}. Set DTYPE to fp32."
            )
        return result


class _Window:
    """One window of all channels, at the level that the model likes."""

    def __init__(self, samples: NDArray[np.float32]) -> None:
        self._shape = samples.shape
        if not np.isfinite(samples).all():
            raise InvalidInput(
                "The recording holds samples that are no numbers. Export it again, as 16-bit PCM "
                "for example.",
                "audio",
            )
        # The same signal on all channels is common, and needs to be heard only once.
        same = samples.shape[1] > 1 and bool((samples == samples[:, :1]).all())
        self._channels = [samples[:, 0]] if same else list(samples.T)
        self._levels = [
            float(np.sqrt(np.mean(channel * channel, dtype=np.float64)))
            for channel in self._channels
        ]
        self.units = [
            Unit(np.ascontiguousarray(channel / np.float32(level)), len(channel))
            for channel, level in zip(self._channels, self._levels, strict=True)
            if level > _SILENCE
        ]

    def joined(self, outputs: Any) -> NDArray[np.float32]:
        """All channels of the estimate; `outputs` are taken for the units in order."""
        columns = [
            next(outputs) * np.float32(level) if level > _SILENCE else np.zeros_like(channel)
            for channel, level in zip(self._channels, self._levels, strict=True)
        ]
        return np.ascontiguousarray(np.broadcast_to(np.stack(columns, axis=1), self._shape))


def _scaled(samples: NDArray[np.float32], gain: float) -> NDArray[np.float32]:
    """A louder or softer copy, kept as `SampleSpool` does."""
    with SampleSpool(samples.shape[1]) as spool:
        for start in range(0, len(samples), _BLOCK):
            spool.append(samples[start : start + _BLOCK] * np.float32(gain))
        return spool.finish()


def _peak(samples: NDArray[np.float32]) -> float:
    return max(
        float(np.abs(samples[start : start + _BLOCK]).max())
        for start in range(0, len(samples), _BLOCK)
    )
