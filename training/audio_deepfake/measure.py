"""How often the detector errs on each kind of fake, beside a judge of four simple measures."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from atoll_inference.engines.base import BatchEngine
from atoll_inference.engines.tasks.sound import AudioDeepfakeInput
from atoll_inference.finetune.metrics import equal_error_rate
from atoll_inference.media.audio import Audio
from training.audio_deepfake import MODEL, SLOT
from training.audio_deepfake.clips import FAKE, REAL, Clip, clips, features, held_out, learnt
from training.engines import Engines
from training.evaluation import Evaluation, Measure
from training.speech import RATE

HELD_OUT = (
    "300 clips of human speech of four speakers in Italian, Dutch and Russian, and 325 synthetic "
    "ones in Italian; the speakers, Italian, and festival with its voices are in no training. All "
    "went through the same chain as in training: a telephone's band, a room, noise, Opus or MP3, "
    "trimming, one loudness. Figures are equal error rates: 0 is perfect, 0.5 is chance"
)
BASELINE = "logistic regression on duration, RMS, bandwidth and spectral tilt"
_SEED = 1


def measure(engines: Engines) -> Evaluation:
    """Figures of the slot's starter."""
    return measured(engines.load(SLOT))


def measured(engine: BatchEngine) -> Evaluation:
    """Scores of an engine for every held-out clip."""
    found = clips(held_out(), _SEED, "held_out")
    scores = [
        engine.run(AudioDeepfakeInput(Audio(clip.samples[:, None], RATE))).score for clip in found
    ]
    return compare(found, scores)


def compare(found: list[Clip], scores: list[float]) -> Evaluation:
    """Equal error rates of the scores and of the baseline, for each engine and for all."""
    known = clips(learnt(), _SEED, "learnt")
    judge = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced"))
    judge.fit([features(clip.samples) for clip in known], [clip.label for clip in known])
    simple = judge.predict_proba([features(clip.samples) for clip in found])[:, 1].tolist()
    labels = np.array([clip.label for clip in found])
    sources = np.array([clip.source for clip in found])
    measures = []
    names = dict.fromkeys(clip.source for clip in found if clip.label == FAKE)
    for name in ("all fakes", *names):
        chosen = (labels == REAL) | ((labels == FAKE) & ((sources == name) | (name == "all fakes")))

        def rate(judged: list[float], chosen: np.ndarray = chosen) -> float:
            return equal_error_rate(labels[chosen], np.array(judged)[chosen])[0]

        measures.append(
            Measure(
                name=f"equal error rate, {name}",
                items=int(chosen.sum()),
                model=rate(scores),
                baselines={BASELINE: rate(simple)},
                higher_is_better=False,
            )
        )
    return Evaluation(slot=SLOT, model=MODEL, held_out=HELD_OUT, measures=tuple(measures))
