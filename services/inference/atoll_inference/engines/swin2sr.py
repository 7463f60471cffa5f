"""Pictures and videos at exactly twice their size: Swin2SR (arXiv 2209.11345).

A picture goes through the model in tiles, and each tile is a unit: those of one size, from however
many requests, share forward passes. A video goes through frame by frame and is written on the way.

On a CPU the layers are computed as `swin2sr_layers` says, which is twice as fast on tiles of this
size. The path of transformers stays the reference: DTYPE fp32 chooses it.
"""

from collections import defaultdict
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from PIL import Image

from atoll_inference.engines.base import (
    BatchEngine,
    BatchLimits,
    EngineError,
    LoadFailed,
    Progress,
    Steps,
    Unit,
)
from atoll_inference.engines.runtime import Runtime
from atoll_inference.engines.swin2sr_layers import speed_up
from atoll_inference.engines.tasks.picture import (
    EnhanceImageInput,
    EnhanceImageResult,
    EnhanceVideoInput,
    EnhanceVideoResult,
)
from atoll_inference.engines.tiles import Floats, Pixels, TiledPicture
from atoll_inference.engines.torch_runtime import (
    memory_errors,
    prepare,
    release,
    torch_device,
    torch_dtype,
)
from atoll_inference.engines.weights import load_pretrained, read_config, stored_parameters
from atoll_inference.media.video import Frame, VideoReader
from atoll_inference.media.video_writer import VideoWriter

SCALE = 2
OVERLAP = 32
"""Pixels that neighbouring tiles share."""

TILE = 256
"""Longest side of a tile. Smaller ones would bring more overlap than they save."""

CPU_LIMITS = BatchLimits(count=16, size=TILE * TILE)
GPU_LIMITS = BatchLimits(count=32, size=16 * TILE * TILE)
"""Size in pixels. Larger CPU batches are no faster."""

_ROUND = 16
"""Tiles that a picture brings forward at once; more would only wait in memory."""

_CPU_BYTES_PER_PIXEL = 8 * 1024
_GPU_BYTES_PER_PIXEL = 24 * 1024
"""Rough memory of a forward pass of the production model in fp32, for the estimate."""

_Outputs = list[Floats]


class Swin2srEngine(BatchEngine):
    """Doubles the size of an `EnhanceImageInput` or `EnhanceVideoInput`.

    Args:
        folder: a checkpoint of `Swin2SRForImageSuperResolution` for three channels whose
            `upscale` is 2.

    Raises:
        LoadFailed: the folder has no readable safetensors or makes other than twice the size, or
            the device is not there.
    """

    concurrency = 8

    def __init__(self, folder: Path, runtime: Runtime) -> None:
        self.folder = folder
        self.runtime = runtime
        self._torch_device = torch_device(runtime)
        self.device = str(self._torch_device)
        self._parameters = stored_parameters(folder)
        config = read_config(folder)
        _check(config, folder)
        self._window: int = config.window_size
        if runtime.dtype == "int8":
            raise LoadFailed(
                f"{folder} cannot run in int8: there is no int8 for this family here. Set DTYPE "
                "to auto or bf16."
            )
        self._model: Any = None

    @property
    def limits(self) -> BatchLimits:
        """Bounds of one forward pass, in pixels of the input."""
        return CPU_LIMITS if self._torch_device.type == "cpu" else GPU_LIMITS

    def bytes_estimate(self) -> int:
        """Weights in the format they run in, and the activations of a batch."""
        on_cpu = self._torch_device.type == "cpu"
        pixel = _CPU_BYTES_PER_PIXEL if on_cpu else _GPU_BYTES_PER_PIXEL
        itemsize = torch_dtype(self.runtime).itemsize
        return itemsize * (self._parameters + self.limits.size * pixel // 4)

    def load(self, progress: Progress) -> None:
        """Read the weights; see `Engine.load`."""
        prepare(self.runtime)
        progress(0.1, "reading weights")
        model = load_pretrained(
            transformers.Swin2SRForImageSuperResolution, self.folder, torch_dtype(self.runtime)
        )
        if self._torch_device.type == "cpu" and self.runtime.dtype != "fp32":
            speed_up(model)
        with memory_errors():
            self._model = model.to(self._torch_device)
        release(self._torch_device)
        progress(0.9, "weights in memory")

    def warmup(self) -> None:
        """Enlarge one small picture."""
        try:
            self.run(EnhanceImageInput(Image.new("RGB", (2 * self._window, self._window))))
        except EngineError as error:
            raise LoadFailed(f"{self.folder} loads and does not answer: {error}") from error

    def unload(self) -> None:
        """Free the weights."""
        self._model = None
        release(self._torch_device)

    def release(self) -> None:
        """Give cached memory back to the device."""
        release(self._torch_device)

    def forward(self, units: Sequence[Unit]) -> list[Any]:
        """Tiles, uint8 of shape (height, width, 3), to float32 of twice the size in [0, 255]."""
        if self._model is None:
            raise EngineError(f"{self.folder} is not loaded.")
        by_shape: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
        for index, unit in enumerate(units):
            by_shape[unit.data.shape].append(index)
        outputs: list[Any] = [None] * len(units)
        for indices in by_shape.values():
            enlarged = self._enlarge(np.stack([units[i].data for i in indices]))
            for index, output in zip(indices, enlarged, strict=True):
                outputs[index] = output
        return outputs

    def steps(self, item: Any, progress: Progress) -> Steps:
        """Tiles in rounds; see `BatchEngine.steps`.

        Raises:
            MediaError: the video cannot be taken.
            OSError: the result cannot be written.
        """
        if isinstance(item, EnhanceVideoInput):
            return (yield from self._enhance_video(item, progress))
        assert isinstance(item, EnhanceImageInput)
        return (yield from self._enhance_image(item.image, progress))

    def _enhance_image(
        self, image: Image.Image, progress: Progress
    ) -> Generator[list[Unit], _Outputs, EnhanceImageResult]:
        picture = self._tiled(np.asarray(image.convert("RGB")))
        at_once = max(1, _ROUND // picture.columns)
        for first in range(0, picture.rows, at_once):
            rows = range(first, min(first + at_once, picture.rows))
            outputs = yield [unit for row in rows for unit in _units(picture, row)]
            _put(picture, outputs)
            progress(rows.stop / picture.rows, "enhancing")
        colours = Image.fromarray(picture.finished())
        result = colours.convert("L") if image.mode in ("L", "LA") else colours
        if image.mode in ("LA", "RGBA"):
            alpha = image.getchannel("A").resize(result.size, Image.Resampling.BICUBIC)
            result.putalpha(alpha)
        return EnhanceImageResult(result)

    def _enhance_video(
        self, item: EnhanceVideoInput, progress: Progress
    ) -> Generator[list[Unit], _Outputs, EnhanceVideoResult]:
        with (
            VideoReader(item.source, item.limits) as reader,
            VideoWriter(
                item.target,
                like=reader.info,
                scale=SCALE,
                sound_of=item.source,
                threads=self.runtime.threads,
            ) as writer,
        ):
            info = reader.info
            count, end = 0, 0.0
            for frames in _grouped(reader.frames(), self.limits.size):
                pictures = [self._tiled(frame.pixels) for frame in frames]
                outputs = iter((yield [unit for p in pictures for unit in _all_units(p)]))
                for frame, picture in zip(frames, pictures, strict=True):
                    _put(picture, [next(outputs) for _ in range(picture.rows * picture.columns)])
                    writer.write(picture.finished(), frame.pts, frame.duration)
                    end = float((frame.pts + frame.duration) * info.time_base)
                count += len(frames)
                progress(min(0.99, count / max(count, info.frames)), "enhancing frames")
            progress(0.99, "writing the end of the file")
            writer.finish()
        return EnhanceVideoResult(
            path=item.target,
            width=info.width * SCALE,
            height=info.height * SCALE,
            frames=count,
            duration=end,
            has_audio=info.has_audio,
        )

    def _tiled(self, pixels: Pixels) -> TiledPicture:
        window = self._window
        return TiledPicture(
            pixels,
            window=window,
            largest=-(-TILE // window) * window,
            overlap=-(-OVERLAP // window) * window,
            scale=SCALE,
        )

    def _enlarge(self, pixels: Pixels) -> Floats:
        with torch.inference_mode(), memory_errors():
            batch = torch.from_numpy(pixels).to(self._torch_device).permute(0, 3, 1, 2)
            batch = batch.to(self._model.dtype) / 255
            output = self._model(pixel_values=batch).reconstruction
            output = output.float().permute(0, 2, 3, 1) * 255
            # A number that is none would survive the clamp and become any colour.
            if not bool(torch.isfinite(output).all()):
                raise EngineError(
                    "The model's numbers ran over in this number format. Set DTYPE to bf16 or fp32."
                )
            result: Floats = output.clamp(0, 255).cpu().contiguous().numpy()
            return result


def _units(picture: TiledPicture, row: int) -> list[Unit]:
    return [Unit(np.ascontiguousarray(tile), picture.tile_pixels) for tile in picture.row(row)]


def _all_units(picture: TiledPicture) -> list[Unit]:
    return [unit for row in range(picture.rows) for unit in _units(picture, row)]


def _put(picture: TiledPicture, outputs: _Outputs) -> None:
    for start in range(0, len(outputs), picture.columns):
        picture.put_row(outputs[start : start + picture.columns])


def _grouped(frames: Iterator[Frame], pixels: int) -> Iterator[list[Frame]]:
    """As many frames at once as have `pixels` together, and at least one."""
    group: list[Frame] = []
    for frame in frames:
        group.append(frame)
        if (len(group) + 1) * frame.pixels[..., 0].size > pixels or len(group) == _ROUND:
            yield group
            group = []
    if group:
        yield group


def _check(config: Any, folder: Path) -> None:
    upscale, upsampler = getattr(config, "upscale", None), getattr(config, "upsampler", None)
    if config.model_type != "swin2sr":
        raise LoadFailed(f"{folder} is no Swin2SR checkpoint but one of {config.model_type}.")
    if upscale != SCALE or upsampler not in ("pixelshuffle", "pixelshuffledirect"):
        raise LoadFailed(
            f"{folder} enlarges {upscale} times with the upsampler {upsampler or 'none'!r}, and "
            "the service promises exactly twice the size. Install an x2 checkpoint, such as "
            "caidas/swin2SR-classical-sr-x2-64."
        )
    if (config.num_channels, config.num_channels_out, config.patch_size) != (3, 3, 1):
        raise LoadFailed(
            f"{folder} does not take three colour channels pixel by pixel. Install an x2 "
            "checkpoint for colour pictures, such as caidas/swin2SR-classical-sr-x2-64."
        )
