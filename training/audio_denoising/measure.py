"""How much nearer to the speech a recording comes, beside leaving it as it is."""

import numpy as np

from atoll_inference.engines.tasks.sound import DenoiseInput
from atoll_inference.media.audio import Audio
from training import noise, speech
from training.audio_denoising import MODEL, SLOT
from training.audio_denoising.mixtures import Floats, Mixer, mixed, si_snr
from training.engines import Engines
from training.evaluation import Evaluation, Measure
from training.speech import RATE

HELD_OUT = (
    "60 mixtures of 4 s at 8 kHz. Human speech of speakers that the training did not have: "
    "telephone prompts in Italian, dialogues in Dutch, names of things in Russian. Noise of "
    "recordings that it did not have (a city, sliding on snow and grass, music), other such "
    "speakers at once, and made noise; at -5, 0, 5, 10 and 15 dB. Figures are scale-invariant "
    "signal-to-noise ratios, means over mixtures"
)
RATIOS = (-5.0, 0.0, 5.0, 10.0, 15.0)
KINDS = ("city", "sliding", "music", "babble", "coloured", "hum")
_EACH = 2
_SECONDS = 4.0
_SEED = 2024


def measure(engines: Engines) -> Evaluation:
    """Answers of the slot's engine for every held-out mixture."""
    engine = engines.load(SLOT)
    rows: dict[str, list[tuple[float, float]]] = {"speech in all mixtures": []}
    for kind, ratio, heard, clean in mixtures():
        # As loud as a recording is; the engine brings it to its own level.
        recording = Audio((0.05 * heard)[:, None], RATE)
        found = engine.run(DenoiseInput(recording)).audio.samples[:, 0]
        pair = (si_snr(found, clean), si_snr(heard, clean))
        rows["speech in all mixtures"].append(pair)
        rows.setdefault(f"speech in {kind} noise", []).append(pair)
        rows.setdefault(f"speech at {ratio:g} dB", []).append(pair)
    measures = []
    for name, pairs in sorted(rows.items(), key=lambda row: -len(row[1])):
        model, unprocessed = np.mean(pairs, 0)
        measures.append(
            Measure(
                name=name,
                items=len(pairs),
                model=float(model),
                baselines={"unprocessed": float(unprocessed)},
                decides=name == "speech in all mixtures",
                unit="dB",
            )
        )
    return Evaluation(slot=SLOT, model=MODEL, held_out=HELD_OUT, measures=tuple(measures))


def mixtures() -> list[tuple[str, float, Floats, Floats]]:
    """Kind of noise, ratio in dB, mixture and the speech in it."""
    mixer = Mixer(speech.HELD_OUT, noise.HELD_OUT, 300.0)
    rng = np.random.default_rng(_SEED)
    count = round(_SECONDS * RATE)
    found = []
    for number, (kind, ratio, _) in enumerate(
        (kind, ratio, again) for kind in KINDS for ratio in RATIOS for again in range(_EACH)
    ):
        voice = number % len(mixer.voices)
        clean = mixer.said(rng, voice, count)
        if kind == "babble":
            disturbance = mixer.babble(rng, count, voice)
        elif kind == "coloured":
            disturbance = noise.coloured(rng, count)
        elif kind == "hum":
            disturbance = noise.hum(rng, count)
        else:
            disturbance = mixer.recorded(kind, rng, count)
        found.append((kind, ratio, *mixed(clean, disturbance, ratio)))
    return found
