"""`python -m training.video_enhancement`: trains a small Swin2SR on crops of photographs."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training import photographs, ship
from training.downloads import cache
from training.loop import Task, batches, begin, device, train
from training.options import parse
from training.video_enhancement import MODEL, SLOT
from training.video_enhancement.network import small_swin2sr
from training.video_enhancement.pictures import SIDE, prepare

STEPS = 900
BATCH = 4
RATE = 1e-3
_VALIDATION_CROPS = 64


def main() -> None:
    """Train, and write the weights."""
    options = parse(SLOT, MODEL)
    begin(options)
    where = device()
    model = small_swin2sr().to(where)
    kept = cache() / "prepared" / f"{SLOT}-{SIDE}-{options.seed}.npz"
    crops = prepare(photographs.learnt(), options.seed, kept)
    checks = prepare(photographs.validation(), options.seed)
    chosen = np.linspace(0, len(checks) - 1, _VALIDATION_CROPS).astype(int)
    batch = batches(len(crops), BATCH, options.seed)

    def enlarged(pixels: Tensor) -> Tensor:
        # Twice as fast where the processor has it; weights and their changes stay in fp32.
        with torch.autocast(where.type, torch.bfloat16):
            result: Tensor = model(pixel_values=pixels).reconstruction.float()
        return result

    def loss(step: int, rng: np.random.Generator) -> Tensor:
        turn = _turn(rng)
        indices = batch(step)
        small = _tensor(turn(crops.small[indices])).to(where)
        large = _tensor(turn(crops.large[indices])).to(where)
        # Smooth at nothing, so that small errors are not pulled at as hard as large ones.
        difference: Tensor = enlarged(small) - large
        return torch.sqrt(difference * difference + 1e-6).mean()

    def judge() -> float:
        psnr = []
        for part in np.array_split(chosen, len(chosen) // 16):
            large = _tensor(checks.large[part]).to(where)
            error = (enlarged(_tensor(checks.small[part]).to(where)).clamp(0, 1) - large).square()
            psnr += (-10 * error.mean((1, 2, 3)).clamp(min=1e-10).log10()).tolist()
        return float(np.mean(psnr))

    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=1e-4)
    record = train(
        Task(
            model=model, optimizer=optimizer, steps=STEPS, loss=loss, judge=judge, judge_every=150
        ),
        options,
    )
    options.out.mkdir(parents=True, exist_ok=True)
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(options.out)
    ship.write_weights(options.out, model.state_dict(), record)


def _turn(rng: np.random.Generator) -> Any:
    """One of the eight ways to turn and mirror a square."""
    quarter, mirrored = int(rng.integers(4)), bool(rng.integers(2))

    def turn(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        turned = np.rot90(pixels, quarter, (1, 2))
        return turned[:, :, ::-1] if mirrored else turned

    return turn


def _tensor(pixels: NDArray[np.uint8]) -> Tensor:
    """In [0, 1], channels first."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float() / 255


if __name__ == "__main__":
    main()
