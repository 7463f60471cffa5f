"""`python -m training.audio_deepfake`: trains a small WavLM on human and synthetic speech.

What comes of it is told at the end and kept outside the release: see
`models/starters/audio_deepfake/README.md`.
"""

import json
import sys
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from atoll_inference.engines.audio_classifier import AudioClassifierEngine
from atoll_inference.engines.runtime import Runtime
from training import noise, ship
from training.audio_deepfake import MODEL, SLOT
from training.audio_deepfake.clips import FAKE, REAL, Clip, clips, learnt, validation
from training.audio_deepfake.measure import measured
from training.audio_deepfake.network import INPUT, small_wavlm
from training.downloads import cache
from training.evaluate import table
from training.loop import Task, begin, device, train
from training.options import parse

STEPS = 1000
BATCH = 16
RATE_OF_LEARNING = 5e-4
_PREPROCESSOR = "preprocessor_config.json"


def main() -> None:
    """Train, write the weights, and print what they are worth."""
    apart = cache() / "work" / SLOT / MODEL
    options = parse(SLOT, MODEL, ["--out", str(apart), *sys.argv[1:]])
    begin(options)
    where = device()
    model = small_wavlm().to(where)
    known = clips(learnt(), options.seed, "learnt")
    checks = clips(validation(), options.seed, "validation")
    groups = [_by_source(known, label) for label in (REAL, FAKE)]

    def loss(step: int, rng: np.random.Generator) -> Tensor:
        labels = [number % 2 for number in range(BATCH)]
        values = [_drawn(groups[label], rng) for label in labels]
        logits = _logits(model, values, where)
        return nn.functional.cross_entropy(
            logits, torch.tensor(labels, device=where), label_smoothing=0.05
        )

    def judge() -> float:
        scores = []
        for start in range(0, len(checks), BATCH):
            part = [INPUT.values(_first(clip)) for clip in checks[start : start + BATCH]]
            scores += _logits(model, part, where).float().log_softmax(-1)[:, FAKE].tolist()
        truth = np.array([clip.label for clip in checks])
        real, fake = (np.array(scores)[truth == label] for label in (REAL, FAKE))
        # Area under the curve: how often a fake clip scores above a real one.
        return float(np.mean(fake[:, None] > real[None, :]))

    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE_OF_LEARNING, weight_decay=0.02)
    record = train(
        Task(
            model=model, optimizer=optimizer, steps=STEPS, loss=loss, judge=judge, judge_every=100
        ),
        options,
    )
    options.out.mkdir(parents=True, exist_ok=True)
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(options.out)
    settings = {"feature_extractor_type": "Wav2Vec2FeatureExtractor"} | INPUT.model_dump(
        mode="json"
    )
    (options.out / _PREPROCESSOR).write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
    ship.write_weights(options.out, model.state_dict(), record)
    engine = AudioClassifierEngine(options.out, Runtime(device="cpu", threads=options.threads))
    engine.load(lambda fraction, stage: None)
    for line in table([measured(engine)]):
        print(line)


def _by_source(known: list[Clip], label: int) -> list[list[Clip]]:
    """Clips of a label, by speaker or voice, so that each of these is heard equally often."""
    names = sorted({clip.source for clip in known if clip.label == label})
    return [[clip for clip in known if clip.source == name] for name in names]


def _drawn(sources: list[list[Clip]], rng: np.random.Generator) -> Any:
    """A window of a clip, faster or slower, with some noise, at times with a band taken out."""
    source = sources[int(rng.integers(len(sources)))]
    samples = source[int(rng.integers(len(source)))].samples
    speed = rng.uniform(0.88, 1.14)
    places = np.arange(0, len(samples) - 1, speed)
    samples = np.interp(places, np.arange(len(samples)), samples).astype(np.float32)
    window = INPUT.window
    if len(samples) > window:
        start = int(rng.integers(len(samples) - window + 1))
        samples = samples[start : start + window]
    else:
        samples = np.roll(np.resize(samples, window), int(rng.integers(window)))
    disturbance = noise.coloured(rng, window)
    ratio = 10 ** (-rng.uniform(10, 40) / 20)
    samples = samples + disturbance * np.float32(ratio * samples.std() / disturbance.std())
    return INPUT.values(samples)


def _first(clip: Clip) -> Any:
    return clip.samples[: INPUT.window]


def _logits(model: Any, values: list[Any], where: torch.device) -> Tensor:
    with torch.autocast(where.type, torch.bfloat16):
        result: Tensor = model(input_values=torch.from_numpy(np.stack(values)).to(where)).logits
    return result.float()


if __name__ == "__main__":
    main()
