"""`python -m training.audio_denoising`: trains a small SepFormer on speech with noise."""

import json

import numpy as np
import torch
from torch import Tensor

from training import noise, ship, speech
from training.audio_denoising import MODEL, SLOT
from training.audio_denoising.mixtures import Mixer
from training.audio_denoising.network import CONFIG, small_sepformer
from training.loop import Task, begin, device, train
from training.options import parse
from training.speech import RATE

STEPS = 7500
BATCH = 6
SECONDS = 2.0
RATE_OF_LEARNING = 1e-3
_OF_EACH_SPEAKER = 15 * 60.0
_VALIDATION = 48


def main() -> None:
    """Train, and write the weights."""
    options = parse(SLOT, MODEL)
    begin(options)
    where = device()
    model = small_sepformer().to(where)
    model.inner_dtype = torch.bfloat16
    count = round(SECONDS * RATE)
    mixer = Mixer(speech.LEARNT, noise.LEARNT, _OF_EACH_SPEAKER)
    others = Mixer((*speech.VALIDATION, *speech.LEARNT[:3]), noise.LEARNT, 180.0)
    rng = np.random.default_rng([options.seed, 5])
    checks = [others.draw(rng, count) for _ in range(_VALIDATION)]

    def loss(step: int, rng: np.random.Generator) -> Tensor:
        pairs = [mixer.draw(rng, count) for _ in range(BATCH)]
        heard, clean = (_tensor(part).to(where) for part in zip(*pairs, strict=True))
        # The gain of the easy ones is bounded, so that the hard ones are not left behind.
        return -si_snr(model(heard)[0], clean).clamp(max=25).mean()

    def judge() -> float:
        figures = []
        for start in range(0, len(checks), BATCH):
            pairs = checks[start : start + BATCH]
            heard, clean = (_tensor(part).to(where) for part in zip(*pairs, strict=True))
            figures += (si_snr(model(heard)[0], clean) - si_snr(heard, clean)).tolist()
        return float(np.mean(figures))

    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE_OF_LEARNING, weight_decay=1e-3)
    record = train(
        Task(
            model=model, optimizer=optimizer, steps=STEPS, loss=loss, judge=judge, judge_every=500
        ),
        options,
    )
    options.out.mkdir(parents=True, exist_ok=True)
    content = json.dumps(CONFIG.model_dump(mode="json"), indent=2) + "\n"
    (options.out / "config.json").write_text(content, "utf-8")
    ship.write_weights(options.out, model.state_dict(), record)


def si_snr(found: Tensor, clean: Tensor) -> Tensor:
    """Scale-invariant signal-to-noise ratio in dB, of each row."""
    found = found - found.mean(-1, keepdim=True)
    clean = clean - clean.mean(-1, keepdim=True)
    gain = (found * clean).sum(-1, keepdim=True) / (clean.square().sum(-1, keepdim=True) + 1e-8)
    target = gain * clean
    error = (found - target).square().sum(-1) + 1e-8
    return 10 * torch.log10(target.square().sum(-1) / error + 1e-8)


def _tensor(rows: tuple[np.ndarray, ...]) -> Tensor:
    return torch.from_numpy(np.stack(rows).astype(np.float32))


if __name__ == "__main__":
    main()
